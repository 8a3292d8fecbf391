//! Java's `.properties` text: comments, continued lines, escapes (`java.util.Properties.load`).

/// A `.properties` text that Java would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertiesError {
    /// `\u` without four hexadecimal digits.
    #[error("line {line}: malformed \\uxxxx encoding")]
    Unicode {
        /// From 1.
        line: usize,
    },
}

/// Reads a `.properties` text into keys and values in the order they stand; a key that stands twice is given twice, and the last
/// one counts.
///
/// # Errors
/// If a `\u` escape is malformed.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, PropertiesError> {
    let mut entries = Vec::new();
    let mut lines = text.split(['\n', '\r']).enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim_start_matches(is_blank);
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = line.to_owned();
        while logical.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1 {
            logical.pop();
            // "\r\n" splits into two, the second one empty: it does not end the continued line
            let Some((_, next)) = lines.next() else { break };
            let next = if next.is_empty() && follows_carriage_return(text, next) {
                lines.next().map_or("", |(_, line)| line)
            } else {
                next
            };
            logical.push_str(next.trim_start_matches(is_blank));
        }
        let (key, value) = split_key(&logical);
        let wrong = || PropertiesError::Unicode { line: line_number(text, index) };
        entries.push((unescape(key).ok_or_else(wrong)?, unescape(value).ok_or_else(wrong)?));
    }
    Ok(entries)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0c')
}

/// True if the empty line `line` (a slice of `text`) is what lies between `\r` and `\n`.
fn follows_carriage_return(text: &str, line: &str) -> bool {
    let at = line.as_ptr() as usize - text.as_ptr() as usize;
    at > 0 && text.as_bytes().get(at - 1) == Some(&b'\r') && text.as_bytes().get(at) == Some(&b'\n')
}

/// Number, from 1, of the `index`th piece between `\n` and `\r`.
fn line_number(text: &str, index: usize) -> usize {
    let pieces: Vec<&str> = text.split(['\n', '\r']).take(index + 1).collect();
    let inside =
        pieces.iter().filter(|line| line.is_empty() && follows_carriage_return(text, line));
    index + 1 - inside.count()
}

/// Splits at the first unescaped `=`, `:` or blank; blanks around the separator belong to it.
fn split_key(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|c: char| {
        let ends = !escaped && (is_blank(c) || c == '=' || c == ':');
        escaped = !escaped && c == '\\';
        ends
    });
    let Some(end) = end else { return (line, "") };
    let rest = line[end..].trim_start_matches(is_blank);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (&line[..end], rest.trim_start_matches(is_blank))
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut units = Vec::new(); // UTF-16, because an escape may be half of a pair
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let plain = match c {
            '\\' => match chars.next() {
                None => break,
                Some('u') => {
                    let digits = chars.as_str().get(..4)?;
                    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                        return None;
                    }
                    units.push(u16::from_str_radix(digits, 16).ok()?);
                    chars = chars.as_str()[4..].chars();
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\x0c',
                Some(other) => other,
            },
            other => other,
        };
        flush(&mut units, &mut out);
        out.push(plain);
    }
    flush(&mut units, &mut out);
    Some(out)
}

/// Appends the characters of `units` and empties them.
fn flush(units: &mut Vec<u16>, out: &mut String) {
    if !units.is_empty() {
        out.push_str(&String::from_utf16_lossy(units));
        units.clear();
    }
}
