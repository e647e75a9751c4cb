"""Record the answers of one revision and compare those of another with them, byte for byte.

`python -m tools.compare_answers --help` shows the commands. One recording is one file: every request with its
answer. The second revision gets the requests of the first recording, so that both get the same bytes whatever
became of the examples and tests that the requests were made from.
"""
