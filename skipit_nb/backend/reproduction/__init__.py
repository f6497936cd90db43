"""Whether an open model shows what the paper says: fixed without labels, judged with them."""
