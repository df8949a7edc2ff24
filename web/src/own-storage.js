// GraphiQL keeps its tabs under fixed names, and every project served from localhost shares one local storage:
// without a prefix of our own a newcomer would find another project's tabs instead of the story.
const PREFIX = 'scriptorium:';

// The history stores each request's headers whatever `shouldPersistHeaders` says. They hold a token, which belongs in no
// storage; entries are read back with the page's own headers, for choosing one overwrites the headers editor.
const HISTORY = ['graphiql:queries', 'graphiql:favorites'];

/** A `Storage` inside `storage` that keeps no headers; `headers` is what history entries get instead. */
export function ownStorage(storage, headers) {
  const ownKeys = () => Object.keys(storage).filter((key) => key.startsWith(PREFIX));
  return {
    getItem(key) {
      const text = storage.getItem(PREFIX + key);
      return HISTORY.includes(key) ? withHeaders(text, headers) : text;
    },
    setItem: (key, text) => storage.setItem(PREFIX + key, HISTORY.includes(key) ? withHeaders(text, undefined) : text),
    removeItem: (key) => storage.removeItem(PREFIX + key),
    clear: () => ownKeys().forEach((key) => storage.removeItem(key)),
    get length() {
      return ownKeys().length;
    },
  };
}

/** A stored history, `{"queries": [entry, ...]}`, with these headers in every entry. */
function withHeaders(text, headers) {
  if (!text) return text;
  return JSON.stringify(JSON.parse(text), (_name, value) => (value?.query ? { ...value, headers } : value));
}
