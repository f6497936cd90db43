"""Every widget that ipywidgets holds until it is closed, by model id: in version 8 in a module, in 7 on a class."""

from typing import Any

import ipywidgets

_module = ipywidgets.widgets.widget
OPEN_WIDGETS: dict[str, Any] = _module._instances if hasattr(_module, "_instances") else ipywidgets.Widget.widgets
