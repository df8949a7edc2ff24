"""The prompt optimizer as a selector for context benchmarks: a project's state comes in, the pieces it would send go out."""
