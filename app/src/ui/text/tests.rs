//! Every language says everything, and nothing else.

use super::catalogue::{ENGLISH, NEXT, SPANISH};
use super::messages::{ALL, say_all};
use super::*;
use crate::call::Reply;
use crate::engine::view::ContactId;
use fluent_syntax::ast::{
    Entry, Expression, InlineExpression, Message as Parsed, Pattern, PatternElement, Resource,
};
use fluent_syntax::parser;
use std::collections::{BTreeMap, BTreeSet};

/// A message as the code declares it.
pub(super) struct Message {
    /// Its name in the catalogues.
    pub(super) id: &'static str,
    /// What it is.
    pub(super) kind: Kind,
    /// The names of its arguments.
    pub(super) arguments: &'static [&'static str],
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A single text.
    Text,
    /// What happened, and what to do next.
    Sentence,
}

/// Some argument of a message.
pub(super) trait Sample {
    /// It.
    fn sample() -> Self;
}

impl Sample for &str {
    fn sample() -> Self {
        "eva"
    }
}

impl Sample for f64 {
    fn sample() -> Self {
        2.5
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => {
        $(impl Sample for $type {
            fn sample() -> Self {
                2
            }
        })+
    };
}

whole_numbers!(u8, u32, u64, usize);

#[test]
fn the_sentences_that_are_ready_can_be_said_in_each_language() {
    for locale in LOCALES {
        speak(locale);
        let said = reply::ready().map(|sentence| Reply::parse(sentence).map(|reply| reply.to_string()));
        assert_eq!(said, reply::ready().map(|sentence| Ok(sentence.to_owned())), "{locale:?}");
    }
    speak(Locale::English);
}

const LOCALES: [Locale; 3] = [Locale::English, Locale::Spanish, Locale::Pseudo];

/// The messages of a catalogue by name; that it cannot be read fails.
fn parsed(source: &str) -> BTreeMap<String, Parsed<String>> {
    let resource: Resource<String> =
        parser::parse(source.to_owned()).unwrap_or_else(|(_, errors)| panic!("{errors:?}"));
    let mut messages = BTreeMap::new();
    for entry in resource.body {
        match entry {
            Entry::Message(message) => {
                let id = message.id.name.clone();
                assert!(messages.insert(id.clone(), message).is_none(), "{id} is there twice");
            }
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
            Entry::Term(_) | Entry::Junk { .. } => panic!("{entry:?} is neither message nor comment"),
        }
    }
    messages
}

/// What fills a pattern.
fn variables<'a>(pattern: &'a Pattern<String>, found: &mut BTreeSet<&'a str>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        match expression {
            Expression::Inline(inline) => variable(inline, found),
            Expression::Select { selector, variants } => {
                variable(selector, found);
                variants.iter().for_each(|variant| variables(&variant.value, found));
            }
        }
    }
}

fn variable<'a>(inline: &'a InlineExpression<String>, found: &mut BTreeSet<&'a str>) {
    match inline {
        InlineExpression::VariableReference { id } => drop(found.insert(&id.name)),
        InlineExpression::FunctionReference { arguments, .. } => {
            arguments.positional.iter().for_each(|argument| variable(argument, found));
        }
        InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
        other => panic!("{other:?} has no use here"),
    }
}

#[test]
fn every_language_has_every_message_with_the_same_arguments_and_no_other() {
    for (language, source) in [("en", ENGLISH), ("es", SPANISH)] {
        let mut messages = parsed(source);
        for Message { id, kind, arguments } in ALL {
            let message = messages.remove(*id).unwrap_or_else(|| panic!("{language} lacks {id}"));
            let mut used = BTreeSet::new();
            variables(message.value.as_ref().unwrap(), &mut used);
            let attributes: Vec<_> = message.attributes.iter().map(|one| one.id.name.as_str()).collect();
            let wanted: &[&str] = if *kind == Kind::Sentence { &[NEXT] } else { &[] };
            assert_eq!(attributes, wanted, "{language} {id}");
            message.attributes.iter().for_each(|one| variables(&one.value, &mut used));
            assert_eq!(used, arguments.iter().copied().collect(), "{language} {id}");
        }
        assert!(messages.is_empty(), "nobody says {:?} of {language}", messages.keys());
    }
}

#[test]
fn every_function_says_something_of_its_own_language() {
    let ids: BTreeSet<&str> = ALL.iter().map(|message| message.id).collect();
    let mut said = Vec::new();
    for locale in LOCALES {
        speak(locale);
        let texts = say_all();
        for text in &texts {
            assert!(!text.is_empty() && !text.contains(['{', '\n', '\u{2068}']), "{locale:?}: {text:?}");
            assert!(!ids.contains(text.as_str()), "{locale:?} cannot say {text}");
        }
        said.push(texts);
    }
    let alike = said[0].iter().zip(&said[1]).filter(|(english, spanish)| english == spanish);
    // Units, and words that are the same in both.
    assert!(alike.count() < said[0].len() / 20);
    for (english, pseudo) in said[0].iter().zip(&said[2]) {
        assert!(pseudo.starts_with('[') && pseudo.ends_with(']'), "{pseudo}");
        assert!(pseudo.chars().count() > english.chars().count(), "{pseudo} is no longer than {english}");
    }
}

#[test]
fn sentences_end_with_a_full_stop_in_every_language() {
    for (language, source) in [("en", ENGLISH), ("es", SPANISH)] {
        let messages = parsed(source);
        for Message { id, .. } in ALL.iter().filter(|message| message.kind == Kind::Sentence) {
            let last = |pattern: &Pattern<String>| pattern.elements.last().cloned();
            let next = last(&messages[*id].attributes[0].value);
            let full = matches!(&next, Some(PatternElement::TextElement { value }) if value.ends_with('.'));
            assert!(full, "{language} {id}: {next:?}");
        }
    }
}

#[test]
fn one_is_counted_otherwise_than_several() {
    for (locale, one, several, none) in [
        (
            Locale::English,
            "Known to one computer of the network",
            "Known to 2 computers of the network",
            "It cannot lead to you yet.",
        ),
        (
            Locale::Spanish,
            "Lo conoce un ordenador de la red",
            "Lo conocen 2 ordenadores de la red",
            "Todavía no puede llevar hasta ti.",
        ),
    ] {
        speak(locale);
        assert_eq!((add::holders(1).as_str(), add::holders(2).as_str()), (one, several));
        assert!(invite::supernodes(0).starts_with(none));
    }
}

#[test]
fn numbers_are_written_as_the_language_has_it() {
    for (locale, rate, lost) in [
        (Locale::English, "1.5 Mbit/s", "2.0 % of the sound"),
        (Locale::Spanish, "1,5 Mbit/s", "2,0 % del sonido"),
    ] {
        speak(locale);
        assert_eq!((help::rate(1500).as_str(), help::rate(5000).as_str()), (rate, "5 Mbit/s"));
        let told = call::lost_and_delay(80, 2.0);
        assert!(told.contains(lost), "{told}");
    }
}

#[test]
fn times_read_like_a_clock_while_running_and_like_words_afterwards() {
    speak(Locale::English);
    assert_eq!(timer(Duration::from_secs(7)), "0:07");
    assert_eq!(timer(Duration::from_secs(3765)), "1:02:45");
    assert_eq!(lasted(Duration::from_secs(7)), "7 s");
    assert_eq!(lasted(Duration::from_secs(247)), "4 min 7 s");
    assert_eq!(lasted(Duration::from_secs(3765)), "1 h 2 min");
}

#[test]
fn windows_of_two_profiles_have_different_titles() {
    speak(Locale::English);
    assert_eq!(window_title(Some("alice"), Some("A"), None), "Silbo — alice");
    assert_eq!(window_title(None, Some("B"), None), "Silbo — profile B");
    assert_eq!(window_title(None, None, None), "Silbo");
}

#[test]
fn the_title_tells_what_is_heard_and_seen_of_us() {
    speak(Locale::English);
    let mut call = CallView::new(ContactId::Echo, "bob".to_owned(), CallPhase::Ringing);
    let title = |call: &CallView| window_title(Some("alice"), None, Some(call));
    assert_eq!(title(&call), "Silbo — alice");
    call.phase = CallPhase::Active { since: std::time::Instant::now() };
    assert_eq!(title(&call), "Silbo — alice — in a call with bob — your microphone is on");
    (call.muted, call.camera) = (true, Some(Camera::On));
    assert_eq!(title(&call), "Silbo — alice — in a call with bob — you are muted, your camera is on");
    call.sharing = Sharing::Screen;
    assert_eq!(title(&call), "Silbo — alice — in a call with bob — you are muted, your screen is shown");
}
