"""What an operator adds to the daemons' own configuration: which of it undoes a promise of this stack.

One module for each language. A line is harmless when its name and its value are known to be; it breaks a promise when its
name (or its value) has to do with one; anything else may be meant, and has to be acknowledged.
"""
