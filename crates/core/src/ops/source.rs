//! A shader's text without comments and indentation, cut while the program is compiled: the page has less to fetch.

/// The length of [`code`] in bytes.
pub const fn code_len(file: &str) -> usize {
    strip(file.as_bytes(), &mut [])
}

/// `file` with the same lines, but without `//` comments other than marks like `//<name>`, and without spaces at a line's start and end.
pub const fn code<const N: usize>(file: &str) -> [u8; N] {
    let mut code = [0; N];
    strip(file.as_bytes(), &mut code);
    code
}

/// [`code`] as text.
pub const fn text(code: &'static [u8]) -> &'static str {
    match str::from_utf8(code) {
        Ok(text) => text,
        Err(_) => panic!("cut within a character"),
    }
}

/// Writes the code to `out` as far as that reaches; the length of all of it.
const fn strip(file: &[u8], out: &mut [u8]) -> usize {
    // `at` reads, `end` writes, `solid` is the end of what isn't space at a line's end.
    let (mut at, mut end, mut solid, mut start) = (0, 0, 0, true);
    while at < file.len() {
        let byte = file[at];
        let comment = byte == b'/' && at + 1 < file.len() && file[at + 1] == b'/';
        let mark = comment && at + 2 < file.len() && file[at + 2] == b'<';
        if comment && !mark {
            while at < file.len() && file[at] != b'\n' {
                at += 1;
            }
            continue;
        }
        assert!(byte != b'/' || at + 1 == file.len() || file[at + 1] != b'*', "comments start with two slashes here");
        // A mark is copied with both its slashes, so that the second isn't taken for a comment's first.
        if mark {
            if end < out.len() {
                out[end] = byte;
            }
            end += 1;
            at += 1;
            start = false;
        }
        at += 1;
        if byte == b'\r' || byte == b' ' && start {
            continue;
        }
        start = byte == b'\n';
        if start {
            end = solid;
        }
        if end < out.len() {
            out[end] = byte;
        }
        end += 1;
        if byte != b' ' {
            solid = end;
        }
    }
    solid
}

#[cfg(test)]
mod tests {
    use super::{code, code_len, text};

    #[test]
    fn comments_and_indentation_go_and_lines_stay() {
        const FILE: &str = "// é: a head\n\n  let a = 1 / 2; // half\r\n\tb();  \n    // all\n}\n";
        static CODE: [u8; code_len(FILE)] = code(FILE);
        assert_eq!(text(&CODE), "\n\nlet a = 1 / 2;\n\tb();\n\n}\n");
        assert_eq!(code_len(""), 0);
    }
}
