"""The verbs of the `twinning` command that open the home, a module for each subject; `cli` loads them when one is called."""
