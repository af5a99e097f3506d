"""The report of an experiment: its sections, its verdict, and its pages in Markdown and HTML."""
