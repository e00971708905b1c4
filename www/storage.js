// What the browser remembers of a person's choices: the theme and the language.
// Where it may not (a sandboxed frame, a strict setting), nothing is remembered.

/** @param {'theme'|'lang'|'quality'} key */
export function recall(key) {
  try {
    return localStorage.getItem(`digit-forge.${key}`);
  } catch {
    return null;
  }
}

/** @param {'theme'|'lang'|'quality'} key @param {string} value */
export function remember(key, value) {
  try {
    localStorage.setItem(`digit-forge.${key}`, value);
  } catch {
    // Not remembered, then.
  }
}
