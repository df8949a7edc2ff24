"""The root of mutations: decode ids, delegate."""

import strawberry
from strawberry import ID

from domain import chapters as chapter_values
from domain import projects as project_values
from domain import reference_files as reference_values
from domain.access import User
from domain.assessing.assessment import Finding
from domain.jobs.job import Job
from resolvers import assessments, chapter_texts, chapters, generation, jobs, people, projects, reference_files, revisions
from schema import ids
from schema.assessments import DismissFindingInput
from schema.chapters import CreateChapterInput, MoveChapterInput, RestoreChapterVersionInput, SaveChapterTextInput, UpdateChapterInput
from schema.failures import JOB_WEIGHT, SAVING_WEIGHT, Input, mutation
from schema.fields import Info, given, present
from schema.job_requests import assessment_start, revision_start
from schema.jobs import ChangeJobCostLimitInput, JobInput, StartAssessmentInput, StartChapterGenerationInput, StartChapterRevisionInput
from schema.payloads import ChapterPayload, DeleteInput, DeletePayload, FindingPayload, JobPayload, ProjectPayload, ReferenceFilePayload
from schema.people import AddProjectMemberInput, ChangeProjectMemberRoleInput, RemoveProjectMemberInput
from schema.projects import CreateProjectInput, UpdateProjectInput
from schema.prompt_requests import start_request
from schema.reference_files import CreateReferenceFileInput, UpdateReferenceFileInput


@strawberry.type(description="Changes. Each takes one `input` and answers what it changed, or typed `errors` and then has changed nothing.")
class Mutation:
    @mutation(ProjectPayload, "Create a project; the viewer becomes its owner.")
    @staticmethod
    async def create_project(info: Info, sent: Input[CreateProjectInput]) -> project_values.Project:
        return await projects.create_project(info.context, given(sent))

    @mutation(ProjectPayload, "Change a project. For editors; the budget for owners.")
    @staticmethod
    async def update_project(info: Info, sent: Input[UpdateProjectInput]) -> project_values.Project:
        project_id = ids.require(project_values.Project, sent.id, "input", "id")
        return await projects.update_project(info.context, project_id, given(sent, "id"))

    @mutation(DeletePayload, "Delete a project with everything in it. For owners.")
    @staticmethod
    async def delete_project(info: Info, sent: Input[DeleteInput]) -> ID:
        await projects.delete_project(info.context, ids.require(project_values.Project, sent.id, "input", "id"))
        return sent.id

    @mutation(ProjectPayload, "Let somebody work on a project. For owners.")
    @staticmethod
    async def add_project_member(info: Info, sent: Input[AddProjectMemberInput]) -> project_values.Project:
        project_id = ids.require(project_values.Project, sent.project_id, "input", "projectId")
        return await people.add_member(info.context, project_id, email=sent.email, role=sent.role)

    @mutation(ProjectPayload, "Change what a member may do. For owners.")
    @staticmethod
    async def change_project_member_role(info: Info, sent: Input[ChangeProjectMemberRoleInput]) -> project_values.Project:
        project_id = ids.require(project_values.Project, sent.project_id, "input", "projectId")
        user_id = ids.require(User, sent.user_id, "input", "userId")
        return await people.change_member_role(info.context, project_id, user_id=user_id, role=sent.role)

    @mutation(ProjectPayload, "Remove a member. For owners; everybody may remove themselves.")
    @staticmethod
    async def remove_project_member(info: Info, sent: Input[RemoveProjectMemberInput]) -> project_values.Project | None:
        project_id = ids.require(project_values.Project, sent.project_id, "input", "projectId")
        return await people.remove_member(info.context, project_id, user_id=ids.require(User, sent.user_id, "input", "userId"))

    @mutation(ReferenceFilePayload, "Add a reference file to a project. For editors.")
    @staticmethod
    async def create_reference_file(info: Info, sent: Input[CreateReferenceFileInput]) -> reference_values.ReferenceFile:
        project_id = ids.require(project_values.Project, sent.project_id, "input", "projectId")
        return await reference_files.create_reference_file(info.context, project_id, given(sent, "project_id"))

    @mutation(ReferenceFilePayload, "Change a reference file. For editors.")
    @staticmethod
    async def update_reference_file(info: Info, sent: Input[UpdateReferenceFileInput]) -> reference_values.ReferenceFile:
        file_id = ids.require(reference_values.ReferenceFile, sent.id, "input", "id")
        return await reference_files.update_reference_file(info.context, file_id, given(sent, "id"))

    @mutation(DeletePayload, "Delete a reference file. For editors.")
    @staticmethod
    async def delete_reference_file(info: Info, sent: Input[DeleteInput]) -> ID:
        file_id = ids.require(reference_values.ReferenceFile, sent.id, "input", "id")
        await reference_files.delete_reference_file(info.context, file_id)
        return sent.id

    @mutation(ChapterPayload, "Add a chapter to a project. For editors.", weight=SAVING_WEIGHT)
    @staticmethod
    async def create_chapter(info: Info, sent: Input[CreateChapterInput]) -> chapter_values.Chapter:
        project_id = ids.require(project_values.Project, sent.project_id, "input", "projectId")
        values = given(sent, "project_id", "position")
        return await chapters.create_chapter(info.context, project_id, values, position=present(sent.position))

    @mutation(ChapterPayload, "Change what is planned for a chapter, or its status. For editors.")
    @staticmethod
    async def update_chapter(info: Info, sent: Input[UpdateChapterInput]) -> chapter_values.Chapter:
        chapter_id = ids.require(chapter_values.Chapter, sent.id, "input", "id")
        return await chapters.update_chapter(info.context, chapter_id, given(sent, "id"))

    @mutation(ChapterPayload, "Move a chapter to another place in the book. For editors.")
    @staticmethod
    async def move_chapter(info: Info, sent: Input[MoveChapterInput]) -> chapter_values.Chapter:
        chapter_id = ids.require(chapter_values.Chapter, sent.id, "input", "id")
        return await chapters.move_chapter(info.context, chapter_id, position=sent.position)

    @mutation(DeletePayload, "Delete a chapter with all its versions and their assessments, unless a job is writing it. For editors.")
    @staticmethod
    async def delete_chapter(info: Info, sent: Input[DeleteInput]) -> ID:
        await chapters.delete_chapter(info.context, ids.require(chapter_values.Chapter, sent.id, "input", "id"))
        return sent.id

    @mutation(ChapterPayload, "Save a text as a chapter's new current version. For editors.", weight=SAVING_WEIGHT)
    @staticmethod
    async def save_chapter_text(info: Info, sent: Input[SaveChapterTextInput]) -> chapter_values.Chapter:
        chapter_id = ids.require(chapter_values.Chapter, sent.chapter_id, "input", "chapterId")
        base = present(sent.base_version_id)
        base_id = None if base is None else ids.require(chapter_values.ChapterVersion, base, "input", "baseVersionId")
        return await chapter_texts.save_text(info.context, chapter_id, sent.text, base_version_id=base_id)

    @mutation(ChapterPayload, "Make an earlier version current again, by a new version with its text. For editors.", weight=SAVING_WEIGHT)
    @staticmethod
    async def restore_chapter_version(info: Info, sent: Input[RestoreChapterVersionInput]) -> chapter_values.Chapter:
        version_id = ids.require(chapter_values.ChapterVersion, sent.version_id, "input", "versionId")
        return await chapter_texts.restore_version(info.context, version_id)

    @mutation(
        JobPayload, "Have a chapter written by a model. Answers at once: follow the job with `jobEvents`. For editors.", weight=JOB_WEIGHT
    )
    @staticmethod
    async def start_chapter_generation(info: Info, sent: Input[StartChapterGenerationInput]) -> Job:
        return await generation.start_chapter_generation(info.context, start_request(sent))

    @mutation(
        JobPayload,
        "Have a version revised by a model: the chosen findings are seen to, all else stays as it is. Answers at once: follow the job with "
        "`jobEvents`. For editors.",
        weight=JOB_WEIGHT,
    )
    @staticmethod
    async def start_chapter_revision(info: Info, sent: Input[StartChapterRevisionInput]) -> Job:
        return await revisions.start_chapter_revision(info.context, revision_start(sent))

    @mutation(
        JobPayload,
        "Have a version measured, and judged by the project's assessor. Answers at once: follow the job with `jobEvents`. For editors.",
        weight=JOB_WEIGHT,
    )
    @staticmethod
    async def start_assessment(info: Info, sent: Input[StartAssessmentInput]) -> Job:
        return await assessments.start_assessment(info.context, assessment_start(sent))

    @mutation(
        FindingPayload,
        "Dismiss a finding, so that later assessments of the chapter do not bring it again. There is no way back. For editors.",
    )
    @staticmethod
    async def dismiss_finding(info: Info, sent: Input[DismissFindingInput]) -> Finding:
        finding_id = ids.require(Finding, sent.finding_id, "input", "findingId")
        return await assessments.dismiss_finding(info.context, finding_id, sent.reason)

    @mutation(
        JobPayload,
        "Stop a job. What it has drafted so far is kept as a PARTIAL version, and a complete revision as a version of its own; a finished job stays as "
        "it is. For editors.",
    )
    @staticmethod
    async def cancel_job(info: Info, sent: Input[JobInput]) -> Job:
        return await jobs.cancel_job(info.context, ids.require(Job, sent.job_id, "input", "jobId"))

    @mutation(
        JobPayload,
        "Change what a job may cost, from its next call on. One that waits because of its limit goes on when the new one allows it.",
    )
    @staticmethod
    async def change_job_cost_limit(info: Info, sent: Input[ChangeJobCostLimitInput]) -> Job:
        return await jobs.change_cost_limit(info.context, ids.require(Job, sent.job_id, "input", "jobId"), given(sent, "job_id"))

    @mutation(
        JobPayload,
        "Take up a failed or cancelled job again, behind what it has recorded and paid for already. For editors.",
        weight=JOB_WEIGHT,
    )
    @staticmethod
    async def retry_job(info: Info, sent: Input[JobInput]) -> Job:
        return await jobs.retry_job(info.context, ids.require(Job, sent.job_id, "input", "jobId"))
