// The page for Vite. Every path in the built site is relative, so it works from any folder of any static server.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'vite';

const pages = ['index.html', 'example.html'].filter((page) => existsSync(resolve(import.meta.dirname, page)));
const elementSource = resolve(import.meta.dirname, 'www/element.js');

/**
 * The embeddable <digit-forge> element is one file that other people's pages name in a script tag. So it is shipped as
 * it stands, beside index.html under a name that never changes, and a page of ours names it as theirs do:
 * <script type="module" src="./element.js" vite-ignore></script>
 * @returns {import('vite').Plugin}
 */
function element() {
  return {
    name: 'digit-forge-element',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'element.js', source: readFileSync(elementSource) });
    },
    configureServer(server) {
      server.middlewares.use('/element.js', (_request, response) => {
        response.setHeader('Content-Type', 'text/javascript').end(readFileSync(elementSource));
      });
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [element()],
  worker: { format: 'es' },
  build: {
    // Every browser that runs the engine preloads modules by itself.
    modulePreload: { polyfill: false },
    rolldownOptions: { input: pages },
  },
  // Cargo's folders hold thousands of files, and rustdoc's pages are not ours.
  optimizeDeps: { entries: pages },
  server: { watch: { ignored: ['**/target/**', '**/crates/**', '**/.tools/**', '**/test-results/**', '**/dist/**'] } },
});
