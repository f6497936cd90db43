"""One thread at a time: a fast tokenizer keeps padding as a setting of its own, and every call sets it anew.

Without the lock a quick question, which needs no padding, takes it away from a batch that another thread is making.
"""

import threading

tokenizing = threading.RLock()
"""Held around each call of a tokenizer, or of a processor that has one."""
