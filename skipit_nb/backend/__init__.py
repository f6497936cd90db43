"""Measures and skips; draws nothing. Each folder imports only those below it: live, tasks, evaluation and so on."""
