//! Functions over texts.

use super::value::{MAX_DEPTH, Value, double_quoted};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

/// Most bytes one function makes.
const MAX_TEXT: usize = 1 << 20;

/// Calls a function over texts; `None` when there is none of this name.
pub(super) fn call(name: &str, arguments: &[Value]) -> Option<Value> {
    shapes(name, arguments)
        .or_else(|| encodings(name, arguments))
        .or_else(|| parts(name, arguments))
}

fn shapes(name: &str, arguments: &[Value]) -> Option<Value> {
    let shown: Vec<String> = arguments.iter().map(Value::show).collect();
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    Some(Value::Text(match (name, shown.as_slice()) {
        ("quote", texts) => texts
            .iter()
            .zip(arguments)
            .filter(|(_, value)| !matches!(value, Value::Nil))
            .map(|(text, _)| double_quoted(text))
            .collect::<Vec<_>>()
            .join(" "),
        ("squote", texts) => texts
            .iter()
            .zip(arguments)
            .filter(|(_, value)| !matches!(value, Value::Nil))
            .map(|(text, _)| format!("'{text}'"))
            .collect::<Vec<_>>()
            .join(" "),
        ("trim", [text]) => text.trim().to_owned(),
        ("trimAll", [cut, text]) => text.trim_matches(|c| cut.contains(c)).to_owned(),
        ("trimSuffix", [suffix, text]) => text.strip_suffix(suffix).unwrap_or(text).to_owned(),
        ("trimPrefix", [prefix, text]) => text.strip_prefix(prefix).unwrap_or(text).to_owned(),
        ("upper", [text]) => text.to_uppercase(),
        ("lower", [text]) => text.to_lowercase(),
        ("title", [text]) => each_word(text, |word| capital(word, true)),
        ("untitle", [text]) => each_word(text, |word| capital(word, false)),
        ("nospace", [text]) => text.split_whitespace().collect(),
        ("camelcase", [text]) => text
            .split(['_', '-', ' '])
            .map(|word| capital(word, true))
            .collect(),
        ("snakecase", [text]) => cased(text, '_'),
        ("kebabcase", [text]) => cased(text, '-'),
        ("replace", [old, new, text])
            if !old.is_empty() && text.len() <= MAX_TEXT / (new.len() + 1) =>
        {
            text.replace(old, new)
        }
        ("indent", [_, text]) => indent(arguments.first()?.int(), text),
        ("nindent", [_, text]) => format!("\n{}", indent(arguments.first()?.int(), text)),
        ("trunc" | "abbrev", [_, text]) => truncated(arguments.first()?.int(), text),
        ("substr", [_, _, text]) => {
            let (from, to) = (arguments.first()?.int(), arguments.get(1)?.int());
            let chars = text.chars().skip(usize::try_from(from).unwrap_or(0));
            match usize::try_from(to) {
                Ok(to) => chars
                    .take(to.saturating_sub(usize::try_from(from).unwrap_or(0)))
                    .collect(),
                Err(_) => chars.collect(),
            }
        }
        ("repeat", [_, text]) => {
            let times = usize::try_from(arguments.first()?.int()).unwrap_or(0);
            text.repeat(times.min(MAX_TEXT / text.len().max(1)))
        }
        ("cat", texts) => texts
            .iter()
            .filter(|text| !text.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(" "),
        ("print", texts) => texts.concat(),
        ("println", texts) => format!("{}\n", texts.join(" ")),
        ("printf", [format, ..]) => printf(format, arguments.get(1..)?),
        ("replace", [_, _, text])
        | ("wrap" | "wrapWith", [.., text])
        | ("toString" | "clean", [text]) => (*text).to_owned(),
        ("plural", [one, many, _]) => if arguments.get(2)?.int() == 1 {
            one
        } else {
            many
        }
        .to_string(),
        ("regexReplaceAll" | "mustRegexReplaceAll", [pattern, text, with]) => {
            let with = with.replace('\\', "");
            regex(pattern).map_or_else(
                || (*text).to_owned(),
                |regex| regex.replace_all(text, with.as_str()).into_owned(),
            )
        }
        ("regexReplaceAllLiteral" | "mustRegexReplaceAllLiteral", [pattern, text, with]) => {
            regex(pattern).map_or_else(
                || (*text).to_owned(),
                |regex| regex.replace_all(text, regex::NoExpand(with)).into_owned(),
            )
        }
        ("regexFind" | "mustRegexFind", [pattern, text]) => regex(pattern)
            .and_then(|regex| regex.find(text).map(|found| found.as_str().to_owned()))
            .unwrap_or_default(),
        ("regexQuoteMeta" | "mustRegexQuoteMeta", [text]) => regex::escape(text),
        ("base" | "osBase", [path]) => path.rsplit('/').next().unwrap_or_default().to_owned(),
        ("dir" | "osDir", [path]) => path
            .rsplit_once('/')
            .map_or(".", |(folder, _)| folder)
            .to_owned(),
        ("ext", [path]) => path
            .rfind('.')
            .and_then(|at| path.get(at..))
            .unwrap_or_default()
            .to_owned(),
        // What only a run on a cluster makes: its place is kept, its value is of no interest.
        (
            "randAlphaNum" | "randAlpha" | "randNumeric" | "randAscii" | "uuidv4"
            | "derivePassword" | "genPrivateKey" | "htpasswd" | "bcrypt" | "env" | "expandenv"
            | "getHostByName" | "date" | "dateInZone" | "unixEpoch" | "date_modify" | "dateModify"
            | "ago" | "htmlDate" | "sha256sum" | "sha1sum" | "sha512sum" | "adler32sum" | "md5sum"
            | "encryptAES" | "decryptAES" | "randBytes" | "buildCustomCert" | "shuffle",
            _,
        ) => String::new(),
        _ => return None,
    }))
}

fn encodings(name: &str, arguments: &[Value]) -> Option<Value> {
    Some(match (name, arguments) {
        ("b64enc", [value]) => Value::Text(STANDARD.encode(value.show())),
        ("b64dec", [value]) => Value::Text(
            STANDARD
                .decode(value.show().trim())
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .unwrap_or_default(),
        ),
        ("toYaml" | "mustToYaml" | "toYamlPretty", [value]) => Value::Text(value.yaml(MAX_TEXT)),
        ("toJson" | "mustToJson" | "toRawJson" | "mustToRawJson", [value]) => {
            Value::Text(value.json().to_string())
        }
        ("toPrettyJson" | "mustToPrettyJson", [value]) => {
            Value::Text(serde_json::to_string_pretty(&value.json()).unwrap_or_default())
        }
        ("toToml", [_]) => Value::text(""),
        ("fromYaml" | "fromYamlArray" | "fromJson" | "mustFromJson" | "fromJsonArray", [value]) => {
            let text = value.show();
            let text = super::super::text::Text::new(text.as_bytes());
            let parsed = super::super::yaml::parse(&text);
            parsed
                .documents
                .first()
                .map_or_else(|| Value::map([]), Value::of)
        }
        ("urlParse", [value]) => url(&value.show()),
        ("urlquery" | "html" | "js" | "b32enc" | "b32dec", [value]) => Value::Text(value.show()),
        ("urlJoin", [value]) => {
            let part = |name: &str| value.field(name).show();
            let scheme = part("scheme");
            let before = if scheme.is_empty() {
                String::new()
            } else {
                format!("{scheme}://")
            };
            Value::Text(format!("{before}{}{}", part("host"), part("path")))
        }
        _ => return None,
    })
}

fn parts(name: &str, arguments: &[Value]) -> Option<Value> {
    let of = |texts: Vec<&str>| Value::list(texts.into_iter().map(Value::text));
    Some(match (name, arguments) {
        ("contains", [part, text]) => Value::Bool(text.show().contains(&part.show())),
        ("hasPrefix", [part, text]) => Value::Bool(text.show().starts_with(&part.show())),
        ("hasSuffix", [part, text]) => Value::Bool(text.show().ends_with(&part.show())),
        ("regexMatch" | "mustRegexMatch", [pattern, text]) => {
            Value::Bool(regex(&pattern.show()).is_some_and(|regex| regex.is_match(&text.show())))
        }
        ("regexSplit" | "mustRegexSplit", [pattern, text, _]) => {
            let text = text.show();
            match regex(&pattern.show()) {
                Some(regex) => of(regex.split(&text).collect()),
                None => Value::list([Value::text(text.as_str())]),
            }
        }
        ("regexFindAll" | "mustRegexFindAll", [pattern, text, _]) => {
            let text = text.show();
            match regex(&pattern.show()) {
                Some(regex) => of(regex.find_iter(&text).map(|found| found.as_str()).collect()),
                None => Value::list([]),
            }
        }
        ("splitList", [separator, text]) => {
            let (separator, text) = (separator.show(), text.show());
            of(split(&text, &separator, usize::MAX))
        }
        ("split", [separator, text]) => {
            let (separator, text) = (separator.show(), text.show());
            numbered(split(&text, &separator, usize::MAX))
        }
        ("splitn", [separator, count, text]) => {
            let (separator, text) = (separator.show(), text.show());
            let count = usize::try_from(count.int()).unwrap_or(usize::MAX);
            numbered(split(&text, &separator, count))
        }
        ("join", [separator, Value::List(items)]) => {
            let shown: Vec<String> = items.iter().map(Value::show).collect();
            Value::Text(shown.join(&separator.show()))
        }
        ("join", [_, value]) => Value::Text(value.show()),
        ("toStrings", [Value::List(items)]) => {
            Value::list(items.iter().map(|item| Value::Text(item.show())))
        }
        _ => return None,
    })
}

fn split<'t>(text: &'t str, separator: &str, most: usize) -> Vec<&'t str> {
    if separator.is_empty() {
        return vec![text];
    }
    text.splitn(most.max(1), separator).collect()
}

/// `_0`, `_1`, …: what `split` gives.
fn numbered(texts: Vec<&str>) -> Value {
    Value::map(
        texts
            .into_iter()
            .enumerate()
            .map(|(at, text)| (format!("_{at}"), Value::text(text))),
    )
}

fn regex(pattern: &str) -> Option<Regex> {
    if pattern.len() > 2_000 {
        return None;
    }
    regex::RegexBuilder::new(pattern)
        .size_limit(1 << 18)
        .nest_limit(MAX_DEPTH as u32)
        .build()
        .ok()
}

fn capital(word: &str, upper: bool) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        let first: String = if upper {
            first.to_uppercase().collect()
        } else {
            first.to_lowercase().collect()
        };
        first + letters.as_str()
    })
}

fn each_word(text: &str, change: impl Fn(&str) -> String) -> String {
    text.split(' ').map(change).collect::<Vec<_>>().join(" ")
}

fn cased(text: &str, between: char) -> String {
    let mut out = String::new();
    let mut lower = false;
    for c in text.chars() {
        if matches!(c, ' ' | '-' | '_') {
            out.push(between);
            lower = false;
            continue;
        }
        if c.is_uppercase() && lower {
            out.push(between);
        }
        lower = c.is_lowercase() || c.is_ascii_digit();
        out.extend(c.to_lowercase());
    }
    out
}

fn indent(spaces: i64, text: &str) -> String {
    let pad = " ".repeat(usize::try_from(spaces).unwrap_or(0).min(200));
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| format!("{pad}{line}"))
        .collect();
    lines.join("\n")
}

fn truncated(length: i64, text: &str) -> String {
    let count = text.chars().count();
    if let Ok(length) = usize::try_from(length) {
        return text.chars().take(length).collect();
    }
    let kept = usize::try_from(length.unsigned_abs()).unwrap_or(count);
    text.chars().skip(count.saturating_sub(kept)).collect()
}

fn printf(format: &str, arguments: &[Value]) -> String {
    let mut out = String::new();
    let mut next = arguments.iter();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flags = String::new();
        let verb = loop {
            match chars.next() {
                Some(c) if c.is_ascii_digit() || matches!(c, '+' | '-' | '#' | ' ' | '.') => {
                    flags.push(c);
                }
                other => break other,
            }
        };
        if verb == Some('%') {
            out.push('%');
            continue;
        }
        let Some(value) = next.next() else {
            continue;
        };
        let width: usize = flags
            .trim_start_matches(['+', '-', '#', ' ', '0'])
            .split('.')
            .next()
            .and_then(|width| width.parse().ok())
            .unwrap_or(0)
            .min(200);
        let text = match verb {
            Some('q') => double_quoted(&value.show()),
            Some('d') => value.int().to_string(),
            Some('f') => {
                let digits = flags
                    .split_once('.')
                    .and_then(|(_, digits)| digits.parse().ok());
                format!("{:.*}", digits.unwrap_or(6_usize).min(20), value.float())
            }
            Some('x') => format!("{:x}", value.int()),
            Some('t') => value.truth().to_string(),
            _ => value.show(),
        };
        let missing = width.saturating_sub(text.chars().count());
        let fill = if flags.starts_with('0') { "0" } else { " " }.repeat(missing);
        if flags.contains('-') {
            out.push_str(&text);
            out.push_str(&fill);
        } else {
            out.push_str(&fill);
            out.push_str(&text);
        }
    }
    out
}

fn url(text: &str) -> Value {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let hostname = host.split(':').next().unwrap_or_default();
    let part = |name: &str, value: &str| (name.to_owned(), Value::text(value));
    Value::map([
        part("scheme", scheme),
        part("host", host),
        part("hostname", hostname),
        part("path", path),
        part("query", ""),
        part("userinfo", ""),
    ])
}
