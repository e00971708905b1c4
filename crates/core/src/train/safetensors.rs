//! The safetensors format: the length of a header (u64, little-endian), the header as JSON, padded with spaces to whole
//! multiples of 8, then the tensors' bytes one after another without gaps.
//!
//! A reader and a writer of our own, held against the `safetensors` crate by the tests: with its derived reader of JSON
//! that is a sixth of the page's engine.

use super::json::Json;
use crate::program::DType;
use half::f16;
use std::borrow::Cow;

/// Bytes before the header.
const LENGTH: usize = 8;
/// No header is longer, in bytes: the format's own limit.
const LONGEST_HEADER: u64 = 100_000_000;
/// Nor does a file of ours have more tensors, each of which is compared with all others.
const MOST_TENSORS: usize = 1000;
/// The header's field for whatever else is said about the file.
const METADATA: &str = "__metadata__";

/// What the header says of a tensor: its type, its extents, its first byte and the one after its last.
const FIELDS: [&str; 3] = ["dtype", "shape", "data_offsets"];

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It isn't of this format.
    Format(&'static str),
    /// Its end is missing, or not where it should be.
    Truncated(&'static str),
}

/// How values lie in a file. Files of other types are not looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// IEEE 754 single precision.
    F32,
    /// Unsigned integers of 32 bits.
    U32,
    /// IEEE 754 half precision: eleven significant bits, magnitudes from 6e-8 to 65,504.
    F16,
}

impl Type {
    /// In the order in which the crate lays out tensors.
    const ALL: [Type; 3] = [Type::F32, Type::U32, Type::F16];

    /// As a tensor in memory lies in a file without loss.
    pub fn of(dtype: DType) -> Self {
        match dtype {
            DType::F32 => Type::F32,
            DType::U32 => Type::U32,
        }
    }

    /// The format's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Type::F32 => "F32",
            Type::U32 => "U32",
            Type::F16 => "F16",
        }
    }

    /// Bytes of a value.
    fn size(self) -> usize {
        if self == Type::F16 { 2 } else { 4 }
    }
}

/// A tensor to be written.
pub(crate) struct Part<'a> {
    /// Its name.
    pub name: &'a str,
    /// How its values lie in the file.
    pub kind: Type,
    /// Its extents.
    pub shape: &'a [usize],
    /// Its values. Where they lie in half precision, each is rounded to the nearest, ties to even.
    pub words: &'a [u32],
}

impl Part<'_> {
    /// The order of the crate: by type, then by name.
    fn place(&self) -> (usize, &[u8]) {
        (Type::ALL.iter().position(|&kind| kind == self.kind).unwrap_or_default(), self.name.as_bytes())
    }

    fn bytes(&self) -> Cow<'_, [u8]> {
        match self.kind {
            Type::F32 | Type::U32 => Cow::Borrowed(bytemuck::cast_slice(self.words)),
            Type::F16 => self.words.iter().flat_map(|&w| f16::from_f32(f32::from_bits(w)).to_le_bytes()).collect(),
        }
    }
}

/// A file of these tensors, with metadata of one key.
pub(crate) fn write(key: &str, value: &str, parts: &[Part]) -> Vec<u8> {
    let mut sorted: Vec<&Part> = Vec::with_capacity(parts.len());
    for part in parts {
        let at = sorted.iter().take_while(|other| other.place() <= part.place()).count();
        sorted.insert(at, part);
    }
    let numbers = |numbers: &[usize]| Json::Array(numbers.iter().map(|&n| Json::number(n)).collect());
    let mut fields = vec![(METADATA, Json::object(vec![(key, Json::text(value))]))];
    let mut end = 0;
    for part in &sorted {
        let start = end;
        end += part.words.len() * part.kind.size();
        let field = Json::object(vec![
            (FIELDS[0], Json::text(part.kind.name())),
            (FIELDS[1], numbers(part.shape)),
            (FIELDS[2], numbers(&[start, end])),
        ]);
        fields.push((part.name, field));
    }
    let mut header = Json::object(fields).write().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = Vec::with_capacity(LENGTH + header.len() + end);
    file.extend((header.len() as u64).to_le_bytes());
    file.extend(header);
    for part in sorted {
        file.extend(&*part.bytes());
    }
    file
}

/// A tensor of a file.
#[derive(Debug)]
pub(crate) struct View<'f> {
    /// Its name.
    pub name: String,
    /// The format's name of its type.
    pub dtype: String,
    /// Its extents.
    pub shape: Vec<usize>,
    /// Its bytes.
    pub bytes: &'f [u8],
}

impl View<'_> {
    /// Its values as they lie in memory, if they are of this type here.
    pub fn words(&self, dtype: DType) -> Option<Vec<u32>> {
        let kind = Type::ALL.into_iter().find(|kind| kind.name() == self.dtype)?;
        match (kind, dtype) {
            (Type::F32, DType::F32) | (Type::U32, DType::U32) => {
                let word = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
                Some(self.bytes.chunks_exact(4).map(word).collect())
            }
            (Type::F16, DType::F32) => {
                let word = |b: &[u8]| f16::from_le_bytes([b[0], b[1]]).to_f32().to_bits();
                Some(self.bytes.chunks_exact(2).map(word).collect())
            }
            _ => None,
        }
    }

    /// Whether both have a byte, or one begins within the other.
    fn overlaps(&self, other: &View) -> bool {
        let (own, others) = (self.bytes.as_ptr_range(), other.bytes.as_ptr_range());
        own.start < others.end && others.start < own.end
    }
}

/// A file that is whole.
#[derive(Debug)]
pub(crate) struct File<'f> {
    /// What else is said about it.
    metadata: Option<Json>,
    /// All its tensors.
    pub tensors: Vec<View<'f>>,
}

impl<'f> File<'f> {
    /// Reads the header and finds the tensors, or says what is wrong. Types other than ours are not looked into.
    pub fn read(file: &'f [u8]) -> Result<Self, Fault> {
        let (length, rest) = file.split_first_chunk().ok_or(Fault::Truncated("it ends before its header"))?;
        let length = u64::from_le_bytes(*length);
        if length > LONGEST_HEADER {
            return Err(Fault::Format("its header would be too long"));
        }
        let (header, data) =
            rest.split_at_checked(length as usize).ok_or(Fault::Truncated("it ends within its header"))?;
        let header = str::from_utf8(header).ok().filter(|text| text.starts_with('{')).and_then(Json::parse);
        let Some(Json::Object(mut fields)) = header else { return Err(Fault::Format("its header is no JSON object")) };

        let metadata = fields.iter().position(|(key, _)| key == METADATA).map(|i| fields.remove(i).1);
        if !metadata.as_ref().is_none_or(is_metadata) {
            return Err(Fault::Format("its metadata isn't text"));
        }
        if fields.len() > MOST_TENSORS {
            return Err(Fault::Format("its header describes more than a thousand tensors"));
        }
        let mut tensors: Vec<View> = Vec::with_capacity(fields.len());
        let (mut used, mut end, mut apart) = (0, 0, true);
        for (name, info) in fields {
            let (view, upto) = view(name, &info, data)?;
            apart &= !tensors.iter().any(|other| other.name == view.name || other.overlaps(&view));
            used += view.bytes.len() as u64;
            end = end.max(upto);
            tensors.push(view);
        }
        if end != data.len() {
            return Err(Fault::Truncated("its tensors end elsewhere"));
        }
        if !apart || used != data.len() as u64 {
            return Err(Fault::Format("its tensors overlap, leave gaps or share a name"));
        }
        Ok(File { metadata, tensors })
    }

    /// The text that its metadata have for `key`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        match self.metadata.as_ref()?.get(key)? {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The tensor of this name.
    pub fn tensor(&self, name: &str) -> Option<&View<'f>> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }
}

fn is_metadata(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Object(fields) => fields.iter().all(|(_, value)| matches!(value, Json::Text(_))),
        _ => false,
    }
}

/// A tensor as the header describes it, and where it ends in `data`.
fn view<'f>(name: String, info: &Json, data: &'f [u8]) -> Result<(View<'f>, usize), Fault> {
    let described =
        || Some((text(info.get(FIELDS[0])?)?, numbers(info.get(FIELDS[1])?)?, numbers(info.get(FIELDS[2])?)?));
    let Some((dtype, shape, offsets)) = described() else {
        return Err(Fault::Format("its header describes a tensor otherwise"));
    };
    if let Json::Object(fields) = info
        && FIELDS.iter().any(|&field| fields.iter().filter(|(key, _)| key == field).count() > 1)
    {
        return Err(Fault::Format("its header describes a tensor twice"));
    }
    let [start, end] = offsets[..] else { return Err(Fault::Format("a tensor has no start and end")) };
    if start > end {
        return Err(Fault::Format("a tensor ends before it starts"));
    }
    let bytes = data.get(start..end).ok_or(Fault::Truncated("it ends within its tensors"))?;
    let values = shape.iter().try_fold(1usize, |count, &extent| count.checked_mul(extent));
    if let Some(kind) = Type::ALL.into_iter().find(|kind| dtype == kind.name())
        && values.and_then(|count| count.checked_mul(kind.size())) != Some(bytes.len())
    {
        return Err(Fault::Format("a tensor has another length than its shape"));
    }
    Ok((View { name, dtype, shape, bytes }, end))
}

fn text(json: &Json) -> Option<String> {
    if let Json::Text(text) = json { Some(text.clone()) } else { None }
}

fn numbers(json: &Json) -> Option<Vec<usize>> {
    let Json::Array(values) = json else { return None };
    let number = |value: &Json| if let Json::Number(text) = value { text.parse().ok() } else { None };
    values.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::check::Random;
    use safetensors::tensor::TensorView;
    use safetensors::{Dtype, SafeTensors};
    use std::collections::HashMap;

    const PARTS: &[Part] = &[
        Part { name: "half", kind: Type::F16, shape: &[2, 1], words: &[1.5f32.to_bits(), 1e-7f32.to_bits()] },
        Part { name: "clock", kind: Type::U32, shape: &[2], words: &[1, 2] },
        Part { name: "weight \"a\"", kind: Type::F32, shape: &[2, 2], words: &[3, 4, 5, 6] },
        Part { name: "bias", kind: Type::F32, shape: &[], words: &[7] },
        Part { name: "none", kind: Type::F32, shape: &[3, 0], words: &[] },
    ];

    /// 1.5 and 2 · 2⁻²⁴, which is subnormal and the nearest to 1e-7.
    const HALVES: &[u8] = &[0x00, 0x3e, 0x02, 0x00];

    /// The same file as the crate writes it.
    fn theirs() -> Vec<u8> {
        let views = PARTS.iter().map(|part| {
            let (dtype, bytes): (_, &[u8]) = match part.kind {
                Type::F32 => (Dtype::F32, bytemuck::cast_slice(part.words)),
                Type::U32 => (Dtype::U32, bytemuck::cast_slice(part.words)),
                Type::F16 => (Dtype::F16, HALVES),
            };
            (part.name, TensorView::new(dtype, part.shape.to_vec(), bytes).unwrap())
        });
        let metadata = HashMap::from([("key".to_owned(), "a=1&b=\n\u{1}é".to_owned())]);
        safetensors::serialize(views, Some(metadata)).unwrap()
    }

    fn ours() -> Vec<u8> {
        write("key", "a=1&b=\n\u{1}é", PARTS)
    }

    #[test]
    fn writes_the_bytes_of_the_crate() {
        assert_eq!(String::from_utf8_lossy(&ours()), String::from_utf8_lossy(&theirs()));
    }

    #[test]
    fn reads_what_was_written() {
        let file = ours();
        let read = File::read(&file).unwrap();
        assert_eq!(read.metadata("key"), Some("a=1&b=\n\u{1}é"));
        assert_eq!(read.tensors.len(), PARTS.len());
        for part in PARTS {
            let view = read.tensor(part.name).unwrap();
            assert_eq!((view.shape.as_slice(), view.dtype.as_str()), (part.shape, part.kind.name()));
            assert_eq!(view.bytes, &*part.bytes());
        }
    }

    #[test]
    fn half_precision_rounds_to_the_nearest_and_keeps_what_is_subnormal_or_infinite() {
        let step = f32::powi(2.0, -24);
        let cases = [
            (0.0, 0.0),
            (-0.0, -0.0),
            (1.0, 1.0),
            // Between 1 and 1 + 2⁻¹⁰: to even, down and up.
            (1.0 + 0.5 * f32::powi(2.0, -10), 1.0),
            (1.0 + 1.5 * f32::powi(2.0, -10), 1.0 + f32::powi(2.0, -9)),
            // The smallest normal, then subnormals, then nothing.
            (f32::powi(2.0, -14), f32::powi(2.0, -14)),
            (-1023.0 * step, -1023.0 * step),
            (3.4 * step, 3.0 * step),
            (step, step),
            (0.5 * step, 0.0),
            (65_504.0, 65_504.0),
            (65_520.0, f32::INFINITY),
            (f32::NEG_INFINITY, f32::NEG_INFINITY),
        ];
        let words: Vec<u32> = cases.iter().map(|(x, _)| x.to_bits()).chain([f32::NAN.to_bits()]).collect();
        let file = write("key", "", &[Part { name: "x", kind: Type::F16, shape: &[words.len()], words: &words }]);
        let file = File::read(&file).unwrap();
        let view = file.tensor("x").unwrap();
        let read = view.words(DType::F32).unwrap();
        for ((x, expected), &word) in cases.iter().zip(&read) {
            assert_eq!(word, expected.to_bits(), "{x} became {}", f32::from_bits(word));
        }
        assert!(f32::from_bits(read[cases.len()]).is_nan());
        assert_eq!(view.words(DType::U32), None);
    }

    /// Damaged files, as the crate sees them: what it reads, so is read here; what it refuses, is refused here.
    #[test]
    fn agrees_with_the_crate_about_damaged_files() {
        let file = ours();
        let mut random = Random(3);
        let mut next = |below: usize| (random.next() * below as f64) as usize % below;
        let (mut read, mut refused) = (0, 0);
        for _ in 0..300_000 {
            let mut file = file.clone();
            for _ in 0..=next(2) {
                // Mostly in the header, and there in what the format gives a meaning.
                let at = if next(4) == 0 { next(8) } else { next(file.len()) }.min(file.len() - 1);
                let byte = b"[]{}\",:0123468FUI32 \\\0\x01"[next(23)];
                match next(4) {
                    0 => file[at] = byte,
                    1 => file.insert(at, byte),
                    2 => _ = file.remove(at),
                    _ => file.truncate(at.max(1)),
                }
            }
            match (File::read(&file), SafeTensors::deserialize(&file)) {
                (Ok(ours), Ok(theirs)) => {
                    read += 1;
                    for view in &ours.tensors {
                        let other = theirs.tensor(&view.name).unwrap();
                        assert_eq!((view.shape.as_slice(), view.bytes), (other.shape(), other.data()));
                        assert_eq!(view.dtype, other.dtype().to_string());
                    }
                }
                (Err(_), Err(_)) => refused += 1,
                // Types that aren't ours may have any name and length here, and unknown fields any form.
                (Ok(ours), Err(why)) => {
                    let known = |v: &View| ["F32", "U32", "F16"].contains(&v.dtype.as_str());
                    assert!(
                        !ours.tensors.iter().all(known),
                        "only the crate refuses: {why}\n{}",
                        String::from_utf8_lossy(&file)
                    );
                }
                (Err(why), Ok(_)) => panic!("only the crate reads: {why:?}\n{}", String::from_utf8_lossy(&file)),
            }
        }
        assert!(read > 5_000 && refused > 100_000, "{read} read, {refused} refused");
    }

    #[test]
    fn tensors_that_overlap_leave_gaps_or_share_a_name_are_refused() {
        // Of so many bytes, tensors from here to there.
        let file = |bytes: usize, tensors: &[(&str, usize, usize)]| {
            let field = |&(name, start, end): &(&str, usize, usize)| {
                format!(r#""{name}":{{"dtype":"U32","shape":[{}],"data_offsets":[{start},{end}]}}"#, (end - start) / 4)
            };
            let header = format!("{{{}}}", tensors.iter().map(field).collect::<Vec<_>>().join(","));
            [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; bytes]].concat()
        };
        let good = file(16, &[("a", 8, 16), ("b", 0, 0), ("c", 0, 8), ("d", 8, 8), ("e", 16, 16)]);
        assert!(File::read(&good).is_ok() && SafeTensors::deserialize(&good).is_ok());
        let many: Vec<String> = (0..=MOST_TENSORS).map(|i| i.to_string()).collect();
        let many: Vec<_> = many.iter().map(|name| (name.as_str(), 0, 0)).collect();
        assert!(File::read(&file(0, &many[1..])).is_ok());
        assert!(matches!(File::read(&file(0, &many)), Err(Fault::Format(why)) if why.contains("a thousand")));
        for (bytes, tensors) in [
            // As many bytes as there are, and yet a gap.
            (16, &[("a", 0, 8), ("b", 4, 8), ("c", 12, 16)][..]),
            (12, &[("a", 0, 8), ("b", 4, 12)]),
            (12, &[("a", 0, 4), ("b", 8, 12)]),
            (8, &[("a", 0, 8), ("b", 4, 4)]),
            (8, &[("a", 0, 4), ("a", 4, 8)]),
        ] {
            let bad = file(bytes, tensors);
            assert!(matches!(File::read(&bad), Err(Fault::Format(_))), "{tensors:?}");
            assert!(SafeTensors::deserialize(&bad).is_err(), "{tensors:?}");
        }
    }

    #[test]
    fn a_fault_says_whether_the_end_is_missing() {
        let file = ours();
        for length in 0..file.len() {
            assert!(matches!(File::read(&file[..length]), Err(Fault::Truncated(_))), "{length}");
        }
        for format in [b"not a checkpoint".as_slice(), b"\x02\0\0\0\0\0\0\0[]", b"\x0e\0\0\0\0\0\0\0{\"a\":{\"b\":1}} "]
        {
            assert!(matches!(File::read(format), Err(Fault::Format(_))));
        }
        let empty = File::read(b"\x02\0\0\0\0\0\0\0{}").unwrap();
        assert!(empty.metadata("key").is_none() && empty.tensors.is_empty());
    }
}
