// `npm start`: from whatever is there to a page that trains. Serves the built site, as a visitor would get it; with
// --dev Vite's development server, which reloads when a source file changes. --port and --host are passed on.

import { parseArgs } from 'node:util';
import { explain } from './failure.mjs';
import { root } from './places.mjs';
import { bold, dim, seconds } from './report.mjs';
import { perform } from './steps.mjs';

const { values } = parseArgs({
  options: { dev: { type: 'boolean' }, port: { type: 'string' }, host: { type: 'string' } },
});
const address = { port: Number(values.port ?? 4173), host: values.host ?? 'localhost' };

/** @returns {Promise<{ resolvedUrls: { local: string[], network: string[] } | null }>} */
async function serve() {
  const { createServer, preview } = await import('vite');
  if (!values.dev) return preview({ root, logLevel: 'warn', preview: address });
  const server = await createServer({ root, logLevel: 'info', server: address });
  return server.listen();
}

const start = performance.now();
try {
  await perform(...(values.dev ? ['data', 'wasm'] : ['site']));
  const { resolvedUrls } = await serve();
  console.log(`\n${bold('Digit Forge')} is ready ${dim(`after ${seconds(performance.now() - start)}`)}\n`);
  for (const url of [...(resolvedUrls?.local ?? []), ...(resolvedUrls?.network ?? [])]) console.log(`  ${bold(url)}`);
  console.log(`\n${dim('Ctrl-C ends it.')}`);
} catch (error) {
  explain(error);
}
