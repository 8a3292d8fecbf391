//! Rust names from Kafka's names.

/// `ThrottleTimeMs` becomes `throttle_time_ms`; a run of capitals is one word, and so is `KRaft`.
pub fn snake(name: &str) -> String {
    let name: Vec<char> = name.replace("KRaft", "Kraft").chars().collect();
    let mut snake = String::new();
    for (index, &letter) in name.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| name[index]);
        let after = name.get(index + 1);
        let begins_word = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                !before.is_ascii_uppercase() || after.is_some_and(char::is_ascii_lowercase)
            });
        if begins_word {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// The name of a struct field; Rust's keywords are written raw.
pub fn field(name: &str) -> String {
    let snake = snake(name);
    match snake.as_str() {
        "type" | "match" | "move" | "ref" | "use" | "mod" | "where" => format!("r#{snake}"),
        _ => snake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_at_capitals() {
        for (name, expected) in [
            ("ThrottleTimeMs", "throttle_time_ms"),
            ("KRaftVersionRecord", "kraft_version_record"),
            ("Enable2Pc", "enable2_pc"),
            ("V3AndBelowTopics", "v3_and_below_topics"),
            ("ISR", "isr"),
            ("LastKnownELR", "last_known_elr"),
            ("CpuID", "cpu_id"),
        ] {
            assert_eq!(snake(name), expected);
        }
        assert_eq!(field("Type"), "r#type");
    }
}
