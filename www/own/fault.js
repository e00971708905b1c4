// Why a file of somebody's own can't be used: a word that each language spells out, the file's name, and the facts.

/**
 * @typedef {'empty'|'unreadable'|'zip'|'gzip'|'notGzip'|'unknown'|'magic'|'truncated'|'long'|'none'|'shape'|'large'|'label'
 *   |'counts'|'noLabels'|'noImages'|'many'|'oneRun'|'picture'|'blank'|'engine'|'full'} Word
 */

export class OwnFault extends Error {
  /**
   * @param {Word} word
   * @param {string} file
   * @param {Record<string, string | number>} [facts]
   */
  constructor(word, file, facts = {}) {
    super(`${file}: ${word} ${JSON.stringify(facts)}`);
    this.word = word;
    this.file = file;
    this.facts = facts;
  }
}
