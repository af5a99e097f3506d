"""Texts that are no arithmetic, by what they try."""

HOSTILE = {
    "a tower of powers": "9**9**9",
    "an attribute": "t.real",
    "a comprehension": "[t for t in t]",
    "a call of something else": "__import__('os').system('id')",
    "10,000 brackets": "(" * 10_000 + "t" + ")" * 10_000,
    "brackets left open": "(" * 299,
    "300 signs": "-" * 299 + "t",
    "nearly a megabyte": "t" * 900_000,
    "a number of 140 digits to itself": f"{'9' * 140}**{'9' * 140}",
    "a walrus": "(t := 1)",
    "a lambda": "(lambda: 1)()",
    "a formatted string": "f'{t}'",
    "a warning of the parser": "1if t else 2",
    "a lone surrogate": "\ud800",
}
