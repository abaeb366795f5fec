//! The sentences of one language, read once and kept as long as the program runs.

use super::{Locale, locale, pseudo};
use crate::engine::view::Sentence;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource, FluentValue};
use fluent_syntax::ast::Entry;
use std::collections::HashMap;
use std::sync::OnceLock;

/// English, as `assets/locales` has it; the other languages say the same.
pub(super) const ENGLISH: &str = include_str!("../../../../assets/locales/en/silbo.ftl");
/// Spanish.
pub(super) const SPANISH: &str = include_str!("../../../../assets/locales/es/silbo.ftl");

/// The attribute of a message that says what to do next.
pub(super) const NEXT: &str = "next";

/// What fills a message: the name of each argument, and its value.
pub(super) type Arguments<'a> = [(&'static str, FluentValue<'a>)];

/// That of the language spoken on this thread.
pub(super) fn spoken() -> &'static Catalogue {
    Catalogue::of(locale::spoken())
}

/// All messages of one language.
pub(super) struct Catalogue {
    bundle: FluentBundle<FluentResource>,
    /// Messages without arguments: these are most, and are put together only once.
    plain: HashMap<String, String>,
}

impl Catalogue {
    /// That of this language; the first who asks has it read.
    pub(super) fn of(locale: Locale) -> &'static Self {
        static READ: [OnceLock<Catalogue>; 3] = [const { OnceLock::new() }; 3];
        READ[locale as usize].get_or_init(|| Self::read(locale))
    }

    fn read(locale: Locale) -> Self {
        let (tag, source) = match locale {
            Locale::English => ("en", ENGLISH.to_owned()),
            Locale::Spanish => ("es", SPANISH.to_owned()),
            Locale::Pseudo => ("en", pseudo::localized(ENGLISH)),
        };
        // A tag that is none would cost the plural rules; the tests ask for those.
        let mut bundle = FluentBundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
        // The marks that keep texts of two directions apart have no glyph: egui would draw boxes.
        bundle.set_use_isolating(false);
        if locale == Locale::Spanish {
            bundle.set_formatter(Some(decimal_comma));
        }
        if let Err(error) = bundle.add_builtins() {
            tracing::error!(%error, "numbers cannot be told");
        }
        let resource = FluentResource::try_new(source).unwrap_or_else(|(rest, errors)| {
            tracing::error!(tag, ?errors, "sentences that cannot be read are left out");
            rest
        });
        let names = resource.entries().filter_map(|entry| match entry {
            Entry::Message(message) => Some(message.id.name.to_owned()),
            _ => None,
        });
        let names: Vec<String> = names.collect();
        bundle.add_resource_overriding(resource);
        let mut catalogue = Self { bundle, plain: HashMap::new() };
        let said =
            names.into_iter().filter_map(|id| catalogue.say(&id, None, &[]).ok().map(|text| (id, text)));
        catalogue.plain = said.collect();
        catalogue
    }

    /// What a message without arguments says. The tests leave no message that fails; one that does says its name.
    pub(super) fn plain(&'static self, id: &'static str) -> &'static str {
        self.plain.get(id).map_or(id, String::as_str)
    }

    /// What a message says with these arguments.
    pub(super) fn text(&self, id: &str, arguments: &Arguments<'_>) -> String {
        self.say(id, None, arguments).unwrap_or_else(|errors| failed(id, &errors))
    }

    /// What happened and what to do next.
    pub(super) fn sentence(&self, id: &str, arguments: &Arguments<'_>) -> Sentence {
        let next_step = self.say(id, Some(NEXT), arguments).unwrap_or_else(|errors| failed(id, &errors));
        Sentence { message: self.text(id, arguments), next_step }
    }

    /// The value of a message, or of its attribute; no errors mean that there is none.
    fn say(
        &self,
        id: &str,
        attribute: Option<&str>,
        arguments: &Arguments<'_>,
    ) -> Result<String, Vec<FluentError>> {
        let message = self.bundle.get_message(id).ok_or_else(Vec::new)?;
        let pattern = match attribute {
            None => message.value(),
            Some(name) => message.get_attribute(name).map(|attribute| attribute.value()),
        };
        let arguments: FluentArgs<'_> = arguments.iter().cloned().collect();
        let mut errors = Vec::new();
        let pattern = pattern.ok_or_else(Vec::new)?;
        let said = self.bundle.format_pattern(pattern, Some(&arguments), &mut errors).into_owned();
        if errors.is_empty() { Ok(said) } else { Err(errors) }
    }
}

fn failed(id: &str, errors: &[FluentError]) -> String {
    tracing::error!(id, ?errors, "a sentence is missing or cannot be said");
    id.to_owned()
}

/// Where numbers are written with a comma.
fn decimal_comma<M>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    match value {
        FluentValue::Number(number) => Some(number.as_string().replace('.', ",")),
        _ => None,
    }
}
