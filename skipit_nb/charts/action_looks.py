"""How each action looks in a still picture: letters, so that colour is not the only sign, and a colour. No Altair."""

ACTION_LOOKS = {
    "run": ("", "#DDE7EE"),
    "absent": ("A", "#E69F00"),
    "frozen": ("F", "#56B4E9"),
    "whole": ("W", "#CC79A7"),
    "attn": ("At", "#F0E442"),
    "mlp": ("Ml", "#F0E442"),
}
"""Action → letters and colour, as on the strip."""
