"""Tasks for lmms-eval's `--include_path`; each is a folder of YAML, parquet and the rule of its score."""
