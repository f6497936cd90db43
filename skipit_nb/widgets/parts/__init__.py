"""What the tools are put together from: fields, notes, tables, a bar for the job, a box for code."""
