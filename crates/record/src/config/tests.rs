//! Tests of config tables and `.properties` text.

use expect_test::expect;

use super::*;

crate::config_def! {
    /// Keys of every kind.
    static KEYS;

    /// Roll a segment at this size.
    /// In bytes.
    "segment.bytes": int = 1_073_741_824, at_least(1_048_576), synonyms(&[Synonym::same("log.segment.bytes")]);
    /// Age limit.
    "retention.ms": long = 604_800_000, at_least(-1), cluster_wide(), synonyms(&[
        Synonym::same("log.retention.ms"), Synonym::minutes("log.retention.minutes"), Synonym::hours("log.retention.hours"),
    ]);
    /// A ratio.
    "ratio": double = 0.5, between(0, 1);
    /// A factor.
    "factor": double = 0.8, between_fractions(0.5, 1.0);
    /// What happens to old data.
    "cleanup.policy": list = &["delete"], validator(Validator::List { allowed: &["compact", "delete"], empty: true, null: false });
    /// A codec.
    "compression.type": string = "producer", one_of(&["uncompressed", "gzip", "producer"]);
    /// Where.
    "dir": string, null_default();
    /// Who.
    "node.id": int, high();
    /// On or off.
    "enable": boolean = true, low(), effect(Effect::Later("nothing listens yet"));
    /// Hush.
    "key.password": password, null_default();
    /// Small.
    "copies": short = 1;
    /// A protocol.
    "protocol": string = "plain", validator(Validator::OneOfIgnoringCase(&["plain", "tls"]));
}

fn error(name: &str, text: &str) -> String {
    KEYS.parse(name, text).expect_err(text).to_string()
}

#[test]
fn the_table_is_sound() {
    assert_eq!(KEYS.check_table(), Ok(()));
    let key = KEYS.get("segment.bytes").expect("declared");
    assert_eq!(key.doc(), "Roll a segment at this size.\n In bytes.");
    assert_eq!(key.validator.to_string(), "[1048576,...]");
    assert_eq!(KEYS.get("enable").expect("declared").effect, Effect::Later("nothing listens yet"));
}

#[test]
fn errors_are_worded_as_kafka_words_them() {
    let mut text = String::new();
    for (name, value) in [
        ("segment.bytes", "abc"),
        ("segment.bytes", "10"),
        ("segment.bytes", "99999999999"),
        ("retention.ms", "-2"),
        ("ratio", "1.5"),
        ("ratio", "inf"),
        ("factor", "0.25"),
        ("cleanup.policy", "compact,remove"),
        ("cleanup.policy", "compact,compact"),
        ("cleanup.policy", "compact,"),
        ("compression.type", "Gzip"),
        ("enable", "yes"),
        ("copies", "70000"),
        ("protocol", "ssh"),
        ("nothing", "1"),
    ] {
        text += &format!("{}\n", error(name, value));
    }
    expect![[r#"
        Invalid value abc for configuration segment.bytes: Not a number of type INT
        Invalid value 10 for configuration segment.bytes: Value must be at least 1048576
        Invalid value 99999999999 for configuration segment.bytes: Not a number of type INT
        Invalid value -2 for configuration retention.ms: Value must be at least -1
        Invalid value 1.5 for configuration ratio: Value must be no more than 1
        Invalid value inf for configuration ratio: Not a number of type DOUBLE
        Invalid value 0.25 for configuration factor: Value must be at least 0.5
        Invalid value remove for configuration cleanup.policy: String must be one of: compact, delete
        Configuration 'cleanup.policy' values must not be duplicated.
        Configuration 'cleanup.policy' values must not be empty.
        Invalid value Gzip for configuration compression.type: String must be one of: uncompressed, gzip, producer
        Invalid value yes for configuration enable: Expected value to be either true or false
        Invalid value 70000 for configuration copies: Not a number of type SHORT
        Invalid value ssh for configuration protocol: String must be one of (case insensitive): PLAIN, TLS
        Unknown configuration nothing
    "#]]
    .assert_eq(&text);
}

#[test]
fn the_finest_synonym_wins() {
    let resolve = |set: &[(&str, &'static str)]| {
        KEYS.resolve("retention.ms", |name| {
            set.iter().find(|(key, _)| *key == name).map(|(_, text)| *text)
        })
    };
    assert_eq!(resolve(&[]), Ok(ConfigValue::Long(604_800_000)));
    assert_eq!(resolve(&[("log.retention.hours", "2")]), Ok(ConfigValue::Long(7_200_000)));
    assert_eq!(
        resolve(&[("log.retention.hours", "2"), ("log.retention.minutes", "3")]),
        Ok(ConfigValue::Long(180_000))
    );
    assert_eq!(
        resolve(&[("log.retention.hours", "2"), ("log.retention.ms", "5")]),
        Ok(ConfigValue::Long(5))
    );
    assert_eq!(resolve(&[("log.retention.hours", "-1")]), Ok(ConfigValue::Long(-1)));
    assert_eq!(resolve(&[("retention.ms", "7")]), Ok(ConfigValue::Long(7)));
    assert!(matches!(
        KEYS.resolve("node.id", |_| None),
        Err(ConfigError::Missing { name }) if name == "node.id"
    ));
}

#[test]
fn values_print_as_javas_do() {
    let text = |value: ConfigValue| value.to_text();
    assert_eq!(text(ConfigValue::Double(1.0)), Some("1.0".into()));
    assert_eq!(text(ConfigValue::Double(1e9)), Some("1.0E9".into()));
    assert_eq!(text(ConfigValue::List(vec!["a".into(), "b".into()])), Some("a,b".into()));
    assert_eq!(text(ConfigValue::Null), None);
    let secret = KEYS.parse("key.password", " hush ").expect("any text");
    assert_eq!((secret.to_string(), secret.as_str()), ("[hidden]".into(), Some("hush")));
    assert_eq!(
        KEYS.parse("cleanup.policy", " compact , delete "),
        Ok(ConfigValue::List(vec!["compact".into(), "delete".into()]))
    );
}

#[test]
fn properties_read_as_java_reads_them() {
    let text = "# comment\n! another\n\na=1\n b : two words \nc three\nd\\ e\\=f=g\nlong=one,\\\n   two,\\\r\n  three\r\nempty\n\
                path=C:\\\\dir\\tx\nu=\\u00e4\\ud83d\\ude00\nlast=\\";
    let entries = parse_properties(text).expect("sound");
    let shown: String = entries.iter().map(|(k, v)| format!("{k:?} {v:?}\n")).collect();
    expect![[r#"
        "a" "1"
        "b" "two words "
        "c" "three"
        "d e=f" "g"
        "long" "one,two,three"
        "empty" ""
        "path" "C:\\dir\tx"
        "u" "ä😀"
        "last" ""
    "#]]
    .assert_eq(&shown);
    assert_eq!(parse_properties("a=1\r\nb=\\u12"), Err(PropertiesError::Unicode { line: 2 }));
}
