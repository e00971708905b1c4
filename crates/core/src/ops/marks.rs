//! The parts of shaders that are written anew for each model: what stands in a file between marks, `//<name>` and
//! `//</name>`.

use std::fmt::Write;

/// A shader's text before, between and after its first marks of this name.
///
/// # Panics
/// If the marks aren't there.
pub fn cut<'a>(text: &'a str, name: &str) -> (&'a str, &'a str, &'a str) {
    let (from, to) = (format!("//<{name}>"), format!("//</{name}>"));
    let parts = text.split_once(&from).and_then(|(a, b)| b.split_once(&to).map(|(b, c)| (a, b, c)));
    parts.expect("the shader has its marks")
}

/// `text` with what stands between the marks, each time they come, or without it.
pub fn keep(text: &str, name: &str, whether: bool) -> String {
    let (mut text, mark) = (text.to_owned(), format!("//<{name}>"));
    while text.contains(&mark) {
        let (before, between, after) = cut(&text, name);
        text = [before, if whether { between } else { "" }, after].concat();
    }
    text
}

/// `text` with constants of these names and values between its first marks `constants`, in groups of one type, named by its suffix.
pub fn with_constants(text: &str, groups: &[(&str, &[(&str, usize)])]) -> String {
    let (before, _, after) = cut(text, "constants");
    let mut constants = String::from("\n");
    for (suffix, values) in groups {
        for (name, value) in *values {
            // Writing to a string can't fail.
            let _ = writeln!(constants, "const {name} = {value}{suffix};");
        }
    }
    [before, &constants, after].concat()
}

/// `text` with each line that has `name` repeated so many times, and the name replaced by the number. Where the name is of an `OWN`
/// thing, that of the `FAR` one becomes the number that comes so many times later.
pub fn repeat(text: &str, name: &str, times: usize) -> String {
    let suffix = format!("_{name}");
    let far = suffix.replace("OWN", "FAR");
    let lines = text.lines().flat_map(|line| {
        let nth = |n: usize| {
            let line = line.replace(&suffix, &format!("_{n}")).replace(name, &format!("{n}u"));
            line.replace(&far, &format!("_{}", n + times)) + "\n"
        };
        (0..if line.contains(name) { times } else { 1 }).map(nth)
    });
    lines.collect()
}
