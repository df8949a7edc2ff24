"""Finding what a mutation is about, and whether this viewer may change it."""

from uuid import UUID

from domain.access import Role
from domain.assessing.assessment import Finding
from domain.chapters import Chapter, ChapterVersion
from domain.errors import Forbidden, NotFound
from domain.jobs.job import Job
from domain.ports import Records
from domain.projects import Project
from domain.reference_files import ReferenceFile

Path = tuple[str, ...]


async def require(records: Records, project_id: UUID, role: Role, path: Path) -> None:
    """Raises NotFound when the viewer is no member of the project, Forbidden when their role does not include `role`."""
    held = (await records.projects.roles([project_id])).get(project_id)
    if held is None:
        raise NotFound(project_id, path=path)
    if not held.includes(role):
        raise Forbidden(role)


async def find_project(records: Records, project_id: UUID, role: Role, path: Path = ("input", "projectId")) -> Project:
    project = (await records.projects.get_many([project_id])).get(project_id)
    if project is None:
        raise NotFound(project_id, path=path)
    await require(records, project_id, role, path)
    return project


async def lock_project(records: Records, project_id: UUID, role: Role, path: Path = ("input", "projectId")) -> Project:
    """The project, held until the transaction ends. The role is checked first: who may not change it cannot hold it up either."""
    await require(records, project_id, role, path)
    project = await records.projects.lock(project_id)
    if project is None:
        raise NotFound(project_id, path=path)
    return project


async def find_chapter(records: Records, chapter_id: UUID, role: Role, path: Path = ("input", "chapterId")) -> Chapter:
    chapter = (await records.chapters.get_many([chapter_id])).get(chapter_id)
    if chapter is None:
        raise NotFound(chapter_id, path=path)
    await require(records, chapter.project_id, role, path)
    return chapter


async def find_version(records: Records, version_id: UUID, role: Role, path: Path = ("input", "versionId")) -> ChapterVersion:
    version = (await records.versions.get_many([version_id])).get(version_id)
    if version is None:
        raise NotFound(version_id, path=path)
    await require(records, version.project_id, role, path)
    return version


async def find_finding(records: Records, finding_id: UUID, role: Role, path: Path = ("input", "findingId")) -> Finding:
    finding = (await records.assessments.get_findings([finding_id])).get(finding_id)
    if finding is None:
        raise NotFound(finding_id, path=path)
    await require(records, finding.project_id, role, path)
    return finding


async def find_reference_file(records: Records, file_id: UUID, role: Role, path: Path = ("input", "id")) -> ReferenceFile:
    file = (await records.reference_files.get_many([file_id])).get(file_id)
    if file is None:
        raise NotFound(file_id, path=path)
    await require(records, file.project_id, role, path)
    return file


async def find_job(records: Records, job_id: UUID, role: Role, path: Path = ("input", "jobId")) -> Job:
    job = (await records.jobs.get_many([job_id])).get(job_id)
    if job is None:
        raise NotFound(job_id, path=path)
    await require(records, job.project_id, role, path)
    return job
