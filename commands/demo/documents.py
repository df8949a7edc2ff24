"""What the demo asks of the API."""

CREATE_PROJECT = """
mutation CreateProject($input: CreateProjectInput!) {
  createProject(input: $input) { project { id title } errors { message } }
}
"""
CREATE_REFERENCE_FILE = """
mutation CreateReferenceFile($input: CreateReferenceFileInput!) {
  createReferenceFile(input: $input) { referenceFile { id } errors { message } }
}
"""
CREATE_CHAPTER = """
mutation CreateChapter($input: CreateChapterInput!) {
  createChapter(input: $input) { chapter { id position } errors { message } }
}
"""
PREVIEW = """
query Preview($input: PromptPreviewInput!) {
  promptPreview(input: $input) {
    receipt { digest tokensUsed tokenBudget items { label group decision reason evidence tokens } }
    estimate { model low high priced }
  }
}
"""
START = """
mutation Start($input: StartChapterGenerationInput!) {
  startChapterGeneration(input: $input) { job { id rehearsal } errors { message } }
}
"""
CANCEL = """
mutation Cancel($input: JobInput!) {
  cancelJob(input: $input) { job { id status } errors { message } }
}
"""
EVENTS = """
subscription Events($jobId: ID!, $after: String) {
  jobEvents(jobId: $jobId, after: $after) {
    __typename cursor sequence
    ... on JobStatusChanged { status failure { message } }
    ... on JobProgressed { stage progress message }
    ... on TextAppended { offset text }
    ... on TextReplaced { offset text }
    ... on JobFinished { job { status } }
  }
}
"""
JOB = """
query Job($id: ID!) {
  job(id: $id) { status text result { ... on ChapterVersion { id origin wordCount } } }
}
"""
CHAPTER = """
query Chapter($id: ID!) {
  chapter(id: $id) {
    title
    currentVersion {
      number origin rehearsal wordCount tokenCount
      receipt { digest tokensUsed tokenBudget items { label decision reason evidence } }
      assessment { judge score scoreLow scoreHigh metrics { name } findings { severity message quote } }
      job { remark usage { calls promptTokens completionTokens cost unpricedCalls } }
    }
    versions(first: 5) { nodes { number origin wordCount } }
  }
}
"""
