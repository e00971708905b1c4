// `npm run build`: the static site in dist/, which works from any folder of any static server.

import { explain } from './failure.mjs';
import { perform } from './steps.mjs';

await perform('site').catch(explain);
