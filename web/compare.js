// Compares two builds file by file. Compressed files are compared by what they hold: the bytes of a deflate
// stream differ between builds of zlib, the page a reader gets must not.
//
//   node compare.js COMMITTED REBUILT
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const [committed, rebuilt] = process.argv.slice(2).map(read);

function read(folder) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return new Map(names.map((name) => [name.slice(folder.length), contents(name)]));
}

function contents(name) {
  const bytes = readFileSync(name);
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

const differing = [...new Set([...committed.keys(), ...rebuilt.keys()])]
  .filter((name) => !committed.has(name) || !rebuilt.has(name) || !committed.get(name).equals(rebuilt.get(name)))
  .sort();

if (differing.length > 0) {
  console.error(`dist is not what the sources build; run "npm run build" and commit it:\n  ${differing.join('\n  ')}`);
  process.exit(1);
}
console.log(`dist is what the sources build: ${committed.size} files.`);
