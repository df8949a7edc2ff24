import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

// Relative to /graphiql, where the page is served: the addresses hold under any prefix a proxy adds.
const ASSETS = 'graphiql/assets';

/** Leaves only the compressed form of every asset: the server sends those bytes as they are. */
function storeCompressed() {
  let folder;
  return {
    name: 'store-compressed',
    apply: 'build',
    configResolved({ root, build }) {
      folder = resolve(root, build.outDir, ASSETS);
    },
    closeBundle() {
      for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        const compressed = gzipSync(readFileSync(path), { level: 9 });
        compressed[9] = 255; // "unknown" instead of the operating system the build ran on
        writeFileSync(`${path}.gz`, compressed);
        rmSync(path);
      }
    },
  };
}

export default defineConfig({
  base: './',
  build: {
    assetsDir: ASSETS,
    chunkSizeWarningLimit: 8000,
    emptyOutDir: true,
    license: { fileName: 'LICENSES.md' },
    rolldownOptions: {
      onLog(level, log, handle) {
        // "use client" is for servers that render React; there is none here.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handle(level, log);
      },
    },
    target: 'es2022',
  },
  plugins: [storeCompressed()],
  worker: { format: 'es' },
});
