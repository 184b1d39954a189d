"""One configuration for building, grading and formgrader."""

c = get_config()  # noqa: F821  (given by whatever loads this file)

c.CourseDirectory.course_id = "convnets"
c.CourseDirectory.source_directory = "build/source"
c.CourseDirectory.release_directory = "notebooks"
c.CourseDirectory.db_url = "sqlite:///gradebook.db"
# What a learner's work leaves behind does not belong to an assignment.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".DS_Store"]

c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your code here")'}
c.ClearSolutions.text_stub = "Your answer here."

# A module's solution runs in seconds without its experiments; ten times that is a loop that does not end.
c.ExecutePreprocessor.timeout = 60
