// The charts' library, behind what keeps it from failing as it loads.

import './language.js';

export { default } from 'uplot';
