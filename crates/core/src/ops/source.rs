//! A shader's text without comments and idle spaces, cut while the program is compiled: the page has less to fetch.

use std::borrow::Cow;

/// The length of [`code`] in bytes.
pub const fn code_len(file: &str) -> usize {
    strip(file.as_bytes(), &mut [])
}

/// `file` with the same lines, but without `//` comments other than marks like `//<name>`, and without spaces that tell nothing apart.
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

/// One text of several files.
pub fn together(files: &[&'static str]) -> Cow<'static, str> {
    match *files {
        [only] => Cow::Borrowed(only),
        _ => Cow::Owned(files.concat()),
    }
}

/// Whether a space before it may tell two tokens apart. (One before `=` does: `array<f32>=` isn't `array<f32> =`.)
const fn parts(byte: u8) -> bool {
    !matches!(byte, b',' | b';' | b':' | b'(' | b')' | b'{' | b'}' | b'+' | b'*')
}

/// Writes the code to `out` as far as that reaches; the length of all of it.
const fn strip(file: &[u8], out: &mut [u8]) -> usize {
    // `at` reads, `end` writes, `solid` is the end of what isn't space at a line's end.
    // `closed`: after what needs no space behind it; `last` wasn't one.
    let (mut at, mut end, mut solid, mut start, mut closed, mut last) = (0, 0, 0, true, false, b' ');
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
        let next = if at < file.len() { file[at] } else { b'\n' };
        // A product behind a quotient must not become a comment.
        let idle = start || closed || !(parts(next) || next == b'*' && last == b'/');
        if byte == b'\r' || byte == b' ' && idle {
            continue;
        }
        start = byte == b'\n';
        closed = byte == b'=' || byte == b' ' || !parts(byte);
        last = if byte == b' ' { last } else { byte };
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
    fn comments_and_idle_spaces_go_and_lines_stay() {
        const FILE: &str = "// é: a head\n\n  let a = 1 / 2; // half\r\n\tb();  \n    // all\n}\n";
        static CODE: [u8; code_len(FILE)] = code(FILE);
        assert_eq!(text(&CODE), "\n\nlet a =1 / 2;\n\tb();\n\n}\n");
        assert_eq!(code_len(""), 0);
        const TIGHT: &str = "//<a> b;\nvar<private> x: array<f32> = f( a, -b ) * c / *p + i - -1;  // end\n";
        static LINE: [u8; code_len(TIGHT)] = code(TIGHT);
        assert_eq!(text(&LINE), "//<a> b;\nvar<private> x:array<f32> =f(a,-b)*c / *p+i - -1;\n");
    }
}
