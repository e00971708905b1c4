//! What a setting can be, and how its value is read from text and shown.

use super::json::Json;
use super::number;

/// The range of a setting, as the page draws it and reading checks it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A whole number.
    Integer {
        /// Smallest.
        min: u32,
        /// Largest.
        max: u32,
    },
    /// A real number.
    Number {
        /// Smallest.
        min: f32,
        /// Largest.
        max: f32,
        /// Whether a slider should move by factors.
        log: bool,
    },
    /// One of a few.
    Choice {
        /// All of them.
        choices: &'static [Choice],
    },
    /// Widths of hidden layers, separated by commas; none for no hidden layer.
    Widths {
        /// The most layers.
        most: usize,
        /// The largest width.
        max: u32,
    },
}

impl Kind {
    /// As JSON: its name as `kind`, and what it is made of.
    pub(super) fn fields(&self) -> Vec<(&'static str, Json)> {
        let float = |value| Json::Number(number::show(value));
        let integer = |value| Json::number(value as usize);
        match *self {
            Kind::Integer { min, max } => {
                vec![("kind", Json::text("integer")), ("min", integer(min)), ("max", integer(max))]
            }
            Kind::Number { min, max, log } => {
                vec![("kind", Json::text("number")), ("min", float(min)), ("max", float(max)), ("log", Json::Bool(log))]
            }
            Kind::Choice { choices } => {
                let choice =
                    |c: &Choice| Json::object(vec![("value", Json::text(c.value)), ("label", Json::text(c.label))]);
                vec![("kind", Json::text("choice")), ("choices", Json::Array(choices.iter().map(choice).collect()))]
            }
            Kind::Widths { most, max } => {
                vec![("kind", Json::text("widths")), ("most", Json::number(most)), ("max", integer(max))]
            }
        }
    }
}

/// One choice of a setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// As it stands in a URL.
    pub value: &'static str,
    /// For people.
    pub label: &'static str,
}

/// A type that a setting can have.
pub trait Value: Sized {
    /// Reads it from text, or says what was expected.
    ///
    /// # Errors
    /// What was expected.
    fn read(text: &str, kind: &Kind) -> Result<Self, String>;
    /// As text that [`Value::read`] reads back.
    fn show(&self) -> String;
}

impl Value for u32 {
    fn read(text: &str, kind: &Kind) -> Result<Self, String> {
        let Kind::Integer { min, max } = *kind else { return Err("not a whole number's setting".into()) };
        let expected = || format!("expected a whole number from {min} to {max}");
        let value: u32 = text.parse().map_err(|_| expected())?;
        if (min..=max).contains(&value) { Ok(value) } else { Err(expected()) }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for f32 {
    fn read(text: &str, kind: &Kind) -> Result<Self, String> {
        let Kind::Number { min, max, .. } = *kind else { return Err("not a number's setting".into()) };
        let expected = || format!("expected a number from {} to {}", number::show(min), number::show(max));
        // −0 is 0.
        let value = number::read(text).ok_or_else(expected)? + 0.0;
        if (min..=max).contains(&value) { Ok(value) } else { Err(expected()) }
    }

    fn show(&self) -> String {
        number::show(*self)
    }
}

/// Widths of hidden layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Widths(pub Vec<u32>);

impl Value for Widths {
    fn read(text: &str, kind: &Kind) -> Result<Self, String> {
        let Kind::Widths { most, max } = *kind else { return Err("not a setting of widths".into()) };
        let expected = || format!("expected at most {most} widths from 1 to {max}, separated by commas");
        if text.is_empty() {
            return Ok(Widths::default());
        }
        let widths = text.split(',').map(|w| w.trim().parse().ok().filter(|w| (1..=max).contains(w)));
        let widths: Vec<u32> = widths.collect::<Option<_>>().ok_or_else(expected)?;
        if widths.len() <= most { Ok(Widths(widths)) } else { Err(expected()) }
    }

    fn show(&self) -> String {
        self.0.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
    }
}

/// Declares a setting that is one of a few: the enum, its [`Choice`]s, and how it is read.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $value:literal, $label:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All choices, in the order of the menu.
            pub const CHOICES: &'static [$crate::train::values::Choice] =
                &[$($crate::train::values::Choice { value: $value, label: $label }),+];
        }

        impl $crate::train::values::Value for $name {
            fn read(text: &str, _kind: &$crate::train::values::Kind) -> Result<Self, String> {
                match text {
                    $($value => Ok($name::$variant),)+
                    _ => Err(concat!("expected one of", $(" ", $value),+).into()),
                }
            }

            fn show(&self) -> String {
                match self { $($name::$variant => $value),+ }.into()
            }
        }
    };
}
pub(crate) use choices;
