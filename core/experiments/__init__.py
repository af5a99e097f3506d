"""The use cases: what the API and the workers call. States change nowhere else.

`cohorts` is below the four others, which know nothing of one another: `requests` (what users ask for), `worker` (what a
training process does), `queries` (what is known of an experiment), `maintenance` (what is found and cleared away).
"""
