//! The language of tests, made from English: letters with accents, two fifths longer, in brackets.

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement, Resource};
use fluent_syntax::{parser, serializer};

/// The messages of `source` in this language; what cannot be read is left out.
pub(super) fn localized(source: &str) -> String {
    let mut resource: Resource<String> =
        parser::parse_runtime(source.to_owned()).unwrap_or_else(|(read, _)| read);
    for entry in &mut resource.body {
        let Entry::Message(message) = entry else { continue };
        let attributes = message.attributes.iter_mut().map(|attribute| &mut attribute.value);
        for pattern in message.value.iter_mut().chain(attributes) {
            lengthen(pattern);
            pattern.elements.insert(0, quoted("["));
            pattern.elements.push(quoted("]"));
        }
    }
    serializer::serialize(&resource)
}

/// At the beginning of a line, a bracket is syntax.
fn quoted(bracket: &str) -> PatternElement<String> {
    let literal = InlineExpression::StringLiteral { value: bracket.to_owned() };
    PatternElement::Placeable { expression: Expression::Inline(literal) }
}

/// Gives every text its accents, and repeats the beginning of each at its end: a word becomes one that is longer, as
/// words of other languages are.
fn lengthen(pattern: &mut Pattern<String>) {
    for element in &mut pattern.elements {
        match element {
            PatternElement::TextElement { value } => {
                let end = value.trim_end().len();
                let (text, space) = value.split_at(end);
                let more = (text.chars().count() * 2).div_ceil(5);
                let longer = text.chars().chain(text.chars().take(more));
                *value = longer.map(accented).chain(space.chars()).collect();
            }
            PatternElement::Placeable { expression: Expression::Select { variants, .. } } => {
                variants.iter_mut().for_each(|variant| lengthen(&mut variant.value))
            }
            PatternElement::Placeable { expression: Expression::Inline(_) } => {}
        }
    }
}

/// A letter one can still read, and see that somebody has been here.
fn accented(letter: char) -> char {
    match letter {
        'a' => 'á',
        'c' => 'ç',
        'e' => 'é',
        'i' => 'í',
        'n' => 'ñ',
        'o' => 'ö',
        'u' => 'ü',
        'y' => 'ý',
        'A' => 'Á',
        'C' => 'Ç',
        'E' => 'É',
        'I' => 'Í',
        'N' => 'Ñ',
        'O' => 'Ö',
        'U' => 'Ü',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bracketed(before: &str, text: &str) -> String {
        format!("{before}{{ \"[\" }}{text}{{ \"]\" }}\n")
    }

    #[test]
    fn texts_are_accented_longer_and_in_brackets_and_what_fills_them_is_left_alone() {
        assert_eq!(localized("a = Mute\n"), bracketed("a = ", "MütéMü"));
        assert_eq!(localized("a = Call { $name }\n"), bracketed("a = ", "ÇállÇá { $name }"));
        let next = bracketed("a = ", "Öñé.Öñ") + &bracketed("    .next = ", "Twö.Tw");
        assert_eq!(localized("a = One.\n    .next = Two.\n"), next);
    }

    #[test]
    fn every_variant_is_changed() {
        let chosen = localized("a =\n    { $n ->\n        [one] door\n       *[other] doors\n    }\n");
        assert!(chosen.contains("[one] döördö\n") && chosen.contains("*[other] döörsdö\n"), "{chosen}");
    }

    #[test]
    fn what_is_no_message_is_left_out() {
        assert_eq!(localized("a = Mute\n= nothing\n{ $ }\n"), bracketed("a = ", "MütéMü"));
        assert_eq!(localized(""), "");
    }
}
