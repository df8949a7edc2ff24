// The tabs tell one story, and each needs an id that an earlier one made. The page carries those ids forward: it notes
// them in results and puts them where a variable still holds its placeholder, so that pressing play in each tab is enough.

// In the order of the story: what is made new makes everything after it stale.
const CARRIED = [
  { placeholder: 'PASTE-PROJECT-ID', madeBy: 'CreateProject', paths: ['createProject.project.id'] },
  { placeholder: 'PASTE-CHAPTER-ID', madeBy: 'AddChapter', paths: ['createChapter.chapter.id'] },
  { placeholder: 'PASTE-JOB-ID', madeBy: 'WriteChapter', paths: ['startChapterGeneration.job.id'] },
  {
    placeholder: 'PASTE-VERSION-ID',
    madeBy: 'ReadChapter',
    paths: ['chapter.currentVersion.id', 'saveChapterText.chapter.currentVersion.id'],
  },
];

const at = (data, path) => path.split('.').reduce((value, name) => value?.[name], data);

/** `storage` outlives a reload of the page: the browser's session storage. */
export function carriedIds(storage) {
  function note(data) {
    CARRIED.forEach(({ placeholder, paths }, position) => {
      const id = paths.map((path) => at(data, path)).find(Boolean);
      if (!id || id === storage.getItem(placeholder)) return;
      storage.setItem(placeholder, id);
      CARRIED.slice(position + 1).forEach((later) => storage.removeItem(later.placeholder));
    });
  }

  /** The variables with every known id in place; throws a `MissingId` naming the tab to run first. */
  function fill(variables) {
    return JSON.parse(JSON.stringify(variables ?? {}), (_name, value) => {
      const carried = CARRIED.find(({ placeholder }) => placeholder === value);
      if (!carried) return value;
      const id = storage.getItem(carried.placeholder);
      if (!id) throw new MissingId(carried);
      return id;
    });
  }

  return { note, fill };
}

export class MissingId extends Error {
  constructor({ placeholder, madeBy }) {
    super(`Run the tab ${madeBy} first, or put an id in place of ${placeholder} in the variables.`);
  }
}
