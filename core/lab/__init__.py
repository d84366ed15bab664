"""The workbench of a tester: what the sandbox can be made to do."""
