//! JSON, as much of it as the page's tables and a checkpoint's header need. A number stays the text that it is: a general
//! library would bring its tables for floats into the page's engine, which are larger than all of this.

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// As it is written.
    Number(String),
    /// A string.
    Text(String),
    /// Values in order.
    Array(Vec<Json>),
    /// Keys with their values, in order. A key may stand there twice.
    Object(Vec<(String, Json)>),
}

/// How deep values may lie in one another, so that no text can exhaust the stack.
const DEEPEST: usize = 100;

impl Json {
    /// A string.
    pub fn text(text: &str) -> Json {
        Json::Text(text.to_owned())
    }

    /// A whole number.
    pub fn number(number: usize) -> Json {
        Json::Number(number.to_string())
    }

    /// A number; what is none in JSON, like infinity, is null.
    pub fn float(value: f32) -> Json {
        if value.is_finite() { Json::Number(super::number::show(value)) } else { Json::Null }
    }

    /// An object with these fields.
    pub fn object(fields: Vec<(&str, Json)>) -> Json {
        Json::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The field of an object; of a key that stands there twice the last one.
    pub fn get(&self, key: &str) -> Option<&Json> {
        let Json::Object(fields) = self else { return None };
        fields.iter().rev().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// Its text, without spaces between values.
    pub fn write(&self) -> String {
        let mut out = Vec::new();
        self.append(&mut out);
        // Only whole strings and ASCII were put together.
        String::from_utf8(out).unwrap_or_default()
    }

    fn append(&self, out: &mut Vec<u8>) {
        match self {
            Json::Null => out.extend(b"null"),
            Json::Bool(true) => out.extend(b"true"),
            Json::Bool(false) => out.extend(b"false"),
            Json::Number(number) => out.extend(number.as_bytes()),
            Json::Text(text) => quote(text, out),
            Json::Array(values) => {
                let mut before = b'[';
                for value in values {
                    out.push(before);
                    value.append(out);
                    before = b',';
                }
                close(before, b"[]", out);
            }
            Json::Object(fields) => {
                let mut before = b'{';
                for (key, value) in fields {
                    out.push(before);
                    quote(key, out);
                    out.push(b':');
                    value.append(out);
                    before = b',';
                }
                close(before, b"{}", out);
            }
        }
    }

    /// The value that `text` is; `None` where it isn't one value with nothing but space around it, or is nested more
    /// than a hundred deep.
    pub fn parse(text: &str) -> Option<Json> {
        let mut reader = Reader { rest: text.as_bytes() };
        let value = reader.value(DEEPEST)?;
        reader.skip_space();
        reader.rest.is_empty().then_some(value)
    }
}

/// Ends a list; where nothing was in it, it starts as well.
fn close(before: u8, brackets: &[u8; 2], out: &mut Vec<u8>) {
    if before == brackets[0] {
        out.push(before);
    }
    out.push(brackets[1]);
}

fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            0..0x20 => {
                out.extend(b"\\u00");
                out.extend([byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// What is still to be read.
struct Reader<'t> {
    rest: &'t [u8],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    /// Takes `byte` if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        let comes = self.rest.first() == Some(&byte);
        if comes {
            self.next();
        }
        comes
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        let depth = depth.checked_sub(1)?;
        self.skip_space();
        match *self.rest.first()? {
            b'n' => self.word(b"null", Json::Null),
            b't' => self.word(b"true", Json::Bool(true)),
            b'f' => self.word(b"false", Json::Bool(false)),
            b'"' => self.text().map(Json::Text),
            b'[' => {
                let mut values = Vec::new();
                self.list(b']', |reader| {
                    values.push(reader.value(depth)?);
                    Some(())
                })?;
                Some(Json::Array(values))
            }
            b'{' => {
                let mut fields = Vec::new();
                self.list(b'}', |reader| {
                    reader.skip_space();
                    let key = reader.text()?;
                    reader.skip_space();
                    reader.take(b':').then_some(())?;
                    fields.push((key, reader.value(depth)?));
                    Some(())
                })?;
                Some(Json::Object(fields))
            }
            _ => self.number().map(Json::Number),
        }
    }

    fn word(&mut self, word: &[u8], value: Json) -> Option<Json> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(value)
    }

    /// Items between a bracket and `end`, with commas between them.
    fn list(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.next();
        self.skip_space();
        if self.take(end) {
            return Some(());
        }
        loop {
            item(self)?;
            self.skip_space();
            if self.take(end) {
                return Some(());
            }
            self.take(b',').then_some(())?;
        }
    }

    fn text(&mut self) -> Option<String> {
        self.take(b'"').then_some(())?;
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => return String::from_utf8(text).ok(),
                b'\\' => self.escape(&mut text)?,
                0..0x20 => return None,
                byte => text.push(byte),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let byte = match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'f' => 12,
            b'r' => b'\r',
            b'u' => {
                let mut code = self.hex()?;
                // The first half of a pair stands for nothing without its second.
                if (0xd800..0xdc00).contains(&code) {
                    (self.take(b'\\') && self.take(b'u')).then_some(())?;
                    let second = self.hex()?;
                    (0xdc00..0xe000).contains(&second).then_some(())?;
                    code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00);
                }
                text.extend(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
                return Some(());
            }
            _ => return None,
        };
        text.push(byte);
        Some(())
    }

    fn hex(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |code, _| Some(code * 16 + char::from(self.next()?).to_digit(16)?))
    }

    /// `-`, digits without a leading zero, a fraction, an exponent.
    fn number(&mut self) -> Option<String> {
        let start = self.rest;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        String::from_utf8(start[..start.len() - self.rest.len()].to_vec()).ok()
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = &self.rest[count..];
        (count > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Json;
    use crate::ops::check::Random;
    use serde_json::Value;

    /// As serde_json understands it, which is what this is held against.
    fn theirs(ours: &Json) -> Value {
        match ours {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(text) => serde_json::from_str(text).unwrap(),
            Json::Text(text) => Value::String(text.clone()),
            Json::Array(values) => values.iter().map(theirs).collect(),
            Json::Object(fields) => Value::Object(fields.iter().map(|(k, v)| (k.clone(), theirs(v))).collect()),
        }
    }

    const TEXTS: &[&str] = &[
        "null",
        " [ ] ",
        "{}",
        "[true,false,null]",
        r#"{"a":{"b":[1,-2.5,3e7,0.5E-3,0]},"a":"twice","":[[],{}]}"#,
        r#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00 é 😀""#,
        "[1 , 2]\n",
    ];

    #[test]
    fn reads_and_writes_what_serde_json_does() {
        for text in TEXTS {
            let ours = Json::parse(text).unwrap_or_else(|| panic!("{text}"));
            let expected: Value = serde_json::from_str(text).unwrap();
            assert_eq!(theirs(&ours), expected, "{text}");
            assert_eq!(serde_json::from_str::<Value>(&ours.write()).unwrap(), expected, "{}", ours.write());
            assert_eq!(Json::parse(&ours.write()), Some(ours));
        }
        let odd: String = (0..0x30).filter_map(char::from_u32).chain("\u{7f}\u{2028}😀".chars()).collect();
        assert_eq!(serde_json::from_str::<Value>(&Json::text(&odd).write()).unwrap(), odd);
    }

    #[test]
    fn refuses_what_serde_json_refuses() {
        let mut random = Random(7);
        let mut next = |below: usize| (random.next() * below as f64) as usize % below;
        let alphabet = b"[]{}\",:\\0123.-+eEtrufalsn d8\n\x01";
        let mut refused = 0;
        for i in 0..200_000 {
            let mut text = TEXTS[i % TEXTS.len()].as_bytes().to_vec();
            for _ in 0..=next(3) {
                let (at, byte) = (next(text.len()), alphabet[next(alphabet.len())]);
                match next(3) {
                    0 => text[at] = byte,
                    1 => text.insert(at, byte),
                    _ if text.len() > 1 => _ = text.remove(at),
                    _ => {}
                }
            }
            let Ok(text) = String::from_utf8(text) else { continue };
            let expected = serde_json::from_str::<Value>(&text);
            // Theirs also refuses numbers that no float can hold.
            if expected.as_ref().is_err_and(|e| e.to_string().contains("out of range")) {
                continue;
            }
            refused += usize::from(expected.is_err());
            assert_eq!(Json::parse(&text).map(|ours| theirs(&ours)), expected.ok(), "{text:?}");
        }
        assert!(refused > 50_000);
        assert_eq!(Json::parse(&"[".repeat(1_000_000)), None);
        assert_eq!(Json::parse("\u{c}1"), None);
    }
}
