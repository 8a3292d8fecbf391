//! `config_def!`, the notation of a config table.

/// Declares a table of configs. The doc comment of a key is its documentation (shown to users).
///
/// ```
/// use klamm_record::config::{ConfigDef, Effect, Synonym};
/// klamm_record::config_def! {
///     /// What this example knows.
///     pub static EXAMPLE_CONFIGS;
///
///     /// Roll a segment at this size, in bytes.
///     "segment.bytes": int = 1024 * 1024 * 1024, at_least(1024 * 1024), synonyms(&[Synonym::same("log.segment.bytes")]);
///     /// Where the metadata log lies.
///     "metadata.log.dir": string, null_default();
///     /// This node's id. (A key without `=` and without `null_default()` is required.)
///     "node.id": int, at_least(0), high();
///     /// Threads that compact.
///     "log.cleaner.threads": int = 1, at_least(0), cluster_wide(), effect(Effect::Later("compaction comes later"));
/// }
/// assert_eq!(EXAMPLE_CONFIGS.get("segment.bytes").map(|key| key.doc()), Some("Roll a segment at this size, in bytes."));
/// ```
///
/// Kinds: `boolean`, `string`, `int`, `short`, `long`, `double`, `list`, `class`, `password`. What follows are the const methods
/// of [`ConfigKey`](crate::config::ConfigKey). A list's default is written `&["a", "b"]`.
#[macro_export]
macro_rules! config_def {
    (
        $(#[$meta:meta])*
        $vis:vis static $table:ident;
        $(
            $(#[doc = $doc:literal])*
            $name:literal : $kind:ident $(= $default:expr)? $(, $option:ident($($argument:expr),*))* ;
        )*
    ) => {
        $(#[$meta])*
        $vis static $table: $crate::config::ConfigDef = $crate::config::ConfigDef {
            keys: &[$(
                $crate::config::ConfigKey::new(
                    $name,
                    $crate::config_def!(@kind $kind),
                    concat!($($doc, "\n"),*),
                )
                $(.default_value($crate::config_def!(@default $kind, $default)))?
                $(.$option($($argument),*))*
            ),*],
        };
    };
    (@kind boolean) => { $crate::config::ConfigType::Boolean };
    (@kind string) => { $crate::config::ConfigType::String };
    (@kind int) => { $crate::config::ConfigType::Int };
    (@kind short) => { $crate::config::ConfigType::Short };
    (@kind long) => { $crate::config::ConfigType::Long };
    (@kind double) => { $crate::config::ConfigType::Double };
    (@kind list) => { $crate::config::ConfigType::List };
    (@kind class) => { $crate::config::ConfigType::Class };
    (@kind password) => { $crate::config::ConfigType::Password };
    (@default boolean, $value:expr) => { $crate::config::ConfigDefault::Boolean($value) };
    (@default int, $value:expr) => {{ const V: i32 = $value; $crate::config::ConfigDefault::Integer(V as i64) }};
    (@default short, $value:expr) => {{ const V: i16 = $value; $crate::config::ConfigDefault::Integer(V as i64) }};
    (@default long, $value:expr) => { $crate::config::ConfigDefault::Integer($value) };
    (@default double, $value:expr) => { $crate::config::ConfigDefault::Double($value) };
    (@default list, $value:expr) => { $crate::config::ConfigDefault::List($value) };
    (@default $text:ident, $value:expr) => { $crate::config::ConfigDefault::Text($value) };
}
