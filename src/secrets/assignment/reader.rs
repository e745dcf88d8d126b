//! Reads what is assigned to a name, in the likeliest of the ways that languages and formats have.

use super::form::{Form, Reading, SKIPPED, behind_size, line_of};
use super::key::{self, Key};
use super::{at, before, block, list, part, value};
use std::cell::OnceCell;
use std::ops::Range;

/// The ways to read what is assigned to a name, the likeliest first.
pub(super) fn readings(text: &[u8], key: &Key) -> Vec<Reading> {
    let mut reader = Reader {
        text,
        key,
        line: line_of(text, &key.range),
        enclosing: OnceCell::new(),
        closes: None,
        quoted_name: false,
        typed: false,
        spaced: false,
        announced: false,
    };
    reader.read()
}

struct Reader<'t> {
    text: &'t [u8],
    key: &'t Key,
    line: Range<usize>,
    /// The quote that is opened before the name on its line and closed behind it, once it was looked for.
    enclosing: OnceCell<Option<u8>>,
    /// The quote right behind the name.
    closes: Option<u8>,
    quoted_name: bool,
    typed: bool,
    spaced: bool,
    announced: bool,
}

impl Reader<'_> {
    /// The quote the name stands inside of.
    fn open(&self) -> Option<u8> {
        let enclosing = || enclosing(self.text, &self.line, &self.key.range);
        let open = *self.enclosing.get_or_init(enclosing);
        open.filter(|quote| self.closes != Some(*quote))
    }

    fn read(&mut self) -> Vec<Reading> {
        let text = self.text;
        let mut index = self.key.range.end;
        let start = self.key.range.start;
        let expanded = before(text, start) == b'{' && before(text, start - 1) == b'$';
        if at(text, index) == b'}' && expanded {
            // `"${name}"` of a shell.
            index += 1;
        }
        if at(text, index) == b'\\' && matches!(at(text, index + 1), b'"' | b'\'') {
            // Quotes escaped in a text of their own.
            index += 2;
            self.quoted_name = true;
        } else if matches!(at(text, index), b'"' | b'\'' | b'`') {
            // The name's own quotes, or the end of a text that ends with the name.
            self.quoted_name = true;
            self.closes = Some(at(text, index));
            index += 1;
        } else if self.entity(index, b"&quot;") {
            index += 6;
            self.quoted_name = true;
        }
        let is_array = behind_size(text, index) > index;
        index = behind_size(text, index);
        let mut called = false;
        if self.quoted_name || before(text, self.key.range.start) == b'[' {
            while matches!(at(text, index), b']' | b')') {
                called |= at(text, index) == b')';
                index += 1;
            }
        }
        // `**Password**:` of Markdown.
        while at(text, index) == b'*' {
            index += 1;
        }
        let operator = skip_blanks(text, index, self.line.end);
        let blank = operator > index;
        if operator >= self.line.end {
            return self.paired(index).into_iter().collect();
        }
        let next = at(text, operator + 1);
        let (form, value) = match at(text, operator) {
            b'=' if next == b'>' => (Form::Arrow, operator + 2),
            b'=' if next == b'~' => return Vec::new(),
            b'=' | b'!' if next == b'=' => {
                let long = usize::from(at(text, operator + 2) == b'=');
                (Form::Compare, operator + 2 + long)
            }
            b'=' => (Form::Equals, operator + 1),
            b':' | b'?' | b'|' | b'+' | b'.' if next == b'=' => (Form::Equals, operator + 2),
            b':' if next == b':' => return Vec::new(),
            // What a shell puts in place of an unset variable, or the message about it.
            b':' if next == b'-' && expanded => (Form::Equals, operator + 2),
            b':' if next == b'?' && expanded => return Vec::new(),
            b':' if self.quoted_name => (Form::Member, operator + 1),
            b':' => (Form::Colon, operator + 1),
            b'|' | b'?' if next == at(text, operator) && at(text, operator + 2) == b'=' => {
                (Form::Equals, operator + 3)
            }
            b'|' | b'?' if next == at(text, operator) => {
                return self.otherwise(operator + 2).into_iter().collect();
            }
            // A pair of Scala, and one of Kotlin.
            b'-' if next == b'>' && self.quoted_name => (Form::Arrow, operator + 2),
            b't' if blank && self.quoted_name && self.is_pair(operator) => {
                (Form::Arrow, operator + 3)
            }
            // An assignment in R; a channel of Go is sent to in the same way.
            b'<' if next == b'-' && blank && !self.quoted_name => (Form::Equals, operator + 2),
            b'<' if next == b'/' => return self.element(index).into_iter().collect(),
            b'>' if !blank && self.in_tag() && self.quoted_name => {
                if let Some(found) = self.element(operator) {
                    return vec![found];
                }
                (Form::Markup, operator + 1)
            }
            b'{' if self.quoted_name && self.is_variable() => {
                return self.object(operator).into_iter().collect();
            }
            b'{' if !blank && value::is_quote(next) => (Form::Equals, operator + 1),
            b'{' => match self.accessors(operator) {
                Some(value) => (Form::Equals, value),
                None => return self.beside(index, operator),
            },
            b'(' if !blank && !self.quoted_name => (Form::Call, operator + 1),
            b',' if self.quoted_name => {
                let mut out: Vec<Reading> = self.paired(index).into_iter().collect();
                // Behind `f("name"),` begins something else.
                if let Some(form) = self.as_argument().filter(|_| !called) {
                    self.typed = form == Form::Equals;
                    out.extend(self.value(form, operator + 1));
                }
                return out;
            }
            b',' => {
                let Some(value) = self.second_name(operator + 1) else {
                    let constant = self.constant(operator + 1);
                    let found = constant.or_else(|| self.paired(index));
                    return found.into_iter().collect();
                };
                (Form::Equals, value)
            }
            b'>' if !blank && self.in_tag() => (Form::Markup, operator + 1),
            _ => return self.beside(index, operator),
        };
        // `char name[16] = "value"`, `{ 0x12, … }`; single quotes hold one letter there.
        if is_array
            && before(text, start) != b'$'
            && !matches!(
                at(text, skip_blanks(text, value, self.line.end)),
                b'"' | b'{'
            )
        {
            return Vec::new();
        }
        self.announced = at(text, operator) == b':';
        self.spaced = blank && matches!(at(text, value), b' ' | b'\t');
        self.value(form, value)
    }

    /// What a quoted name among the arguments of a call is to the one behind it. First, it is what that belongs to:
    /// `f("name", "value")`; behind a type, it declares it: `buildConfigField 'String', 'NAME', …`; asked of the
    /// environment, that is its default: `getenv("NAME", "value")`; given to what sets a constant or a property, its value:
    /// `define("NAME", "value")`. In a list it is nothing.
    fn as_argument(&self) -> Option<Form> {
        const TYPES: [&[u8]; 3] = [b"string", b"java.lang.string", b"charsequence"];
        const DEFAULTS: [&[u8]; 4] = [b"environ.get(", b"getenv(", b"env(", b"setdefault("];
        const SETTERS: [&[u8]; 7] = [
            b"define(",
            b"define (",
            b".put(",
            b".setproperty(",
            b".addproperty(",
            b"setenv(",
            b"putenv(",
        ];
        let opening = self.key.range.start.saturating_sub(1);
        let head = part(self.text, self.line.start..opening).trim_ascii_end();
        let calls = |call: &&[u8]| {
            let from = head.len().saturating_sub(call.len());
            part(head, from..head.len()).eq_ignore_ascii_case(call)
        };
        if DEFAULTS.iter().chain(&SETTERS).any(calls) {
            return Some(Form::Arrow);
        }
        if head.ends_with(b"(") {
            return Some(Form::Argument);
        }
        let head = head.strip_suffix(b",")?.trim_ascii_end();
        let (quote, head) = head.split_last()?;
        let open = memchr::memrchr(*quote, head)?;
        let name = head.get(open + 1..)?.to_ascii_lowercase();
        let call = head.get(..open)?.trim_ascii_end().last()?;
        let is_first = *call == b'(' || call.is_ascii_alphanumeric();
        (is_first && TYPES.contains(&name.as_slice())).then_some(Form::Equals)
    }

    /// Whether `to "…"` begins at `index`.
    fn is_pair(&self, index: usize) -> bool {
        self.entity(index, b"to ") && value::is_quote(at(self.text, index + 3))
    }

    /// What a name stands for where it is empty: `name || "…"`, `name ?? "…"`.
    fn otherwise(&self, index: usize) -> Option<Reading> {
        let value = skip_blanks(self.text, index, self.line.end);
        let found = self.quoted(value)?;
        Some(self.reading(Form::Equals, found, true))
    }

    /// The text of the element behind that of a name.
    fn element(&self, index: usize) -> Option<Reading> {
        let start = self.key.range.start;
        let is_text = at(self.text, index) == b'<' && before(self.text, start) == b'>';
        let is_name = at(self.text, index) == b'>' && self.in_tag();
        let found = (is_text || is_name)
            .then(|| block::of_element(self.text, index))
            .flatten()?;
        Some(self.reading(Form::Markup, found, false))
    }

    /// Whether a variable of this name is declared: `variable "name" {`.
    fn is_variable(&self) -> bool {
        let end = self.key.range.start.saturating_sub(1);
        let head = part(self.text, self.line.start..end).trim_ascii();
        head == b"variable"
    }

    /// The value in an object that begins at `index`.
    fn object(&self, index: usize) -> Option<Reading> {
        let found = block::of_object(self.text, index, &self.line)?;
        let mut reading = self.reading(Form::Equals, found, false);
        reading.inside = false;
        reading.more = false;
        Some(reading)
    }

    /// Where the value of a property begins: `Name { get; set; } = "…"`.
    fn accessors(&self, index: usize) -> Option<usize> {
        let rest = part(self.text, index..self.line.end);
        let close = memchr::memchr(b'}', rest)?;
        let inner = part(rest, 1..close).trim_ascii_start();
        let operator = skip_blanks(self.text, index + close + 1, self.line.end);
        let is_property = inner.starts_with(b"get") && at(self.text, operator) == b'=';
        is_property.then_some(operator + 1)
    }

    /// The text behind a name that is a constant among the arguments of a call: `setopt(handle, OPT_PASSWORD, "…")`.
    fn constant(&self, index: usize) -> Option<Reading> {
        let text = self.text;
        let name = part(text, self.key.range.clone());
        let head = part(text, self.line.start..self.key.range.start).trim_ascii_end();
        let is_argument = head.ends_with(b",") && memchr::memchr(b'(', head).is_some();
        if !is_argument || name.iter().any(u8::is_ascii_lowercase) || self.open().is_some() {
            return None;
        }
        let value = skip_blanks(text, index, self.line.end);
        let found = value::quoted(text, value, self.line.end, None)?;
        let closes = at(text, skip_blanks(text, found.end, self.line.end)) == b')';
        closes.then(|| self.reading(Form::Argument, found, false))
    }

    /// The end of `, error :=` after a name: the second of two names that are assigned to.
    fn second_name(&self, index: usize) -> Option<usize> {
        let text = self.text;
        let name = skip_blanks(text, index, self.line.end);
        let operator = skip_blanks(text, key::end_of(text, name), self.line.end);
        let assigns = at(text, operator) == b':' && at(text, operator + 1) == b'=';
        (operator > name && assigns).then_some(operator + 2)
    }

    /// Whether the name is that of a source of passwords in the arguments of a command: `-passin pass:…`.
    fn is_source(&self) -> bool {
        let start = self.key.range.start;
        let head = part(self.text, start.saturating_sub(12)..start);
        self.key.name.before.is_empty() && memchr::memmem::find(head, b"-pass").is_some()
    }

    fn entity(&self, index: usize, entity: &[u8]) -> bool {
        part(self.text, index..index + entity.len()) == entity
    }

    /// Whether the name stands in an opening tag.
    fn in_tag(&self) -> bool {
        let head = part(self.text, self.line.start..self.key.range.start);
        memchr::memrchr(b'<', head).is_some_and(|open| {
            let tag = head.get(open + 1..).unwrap_or_default();
            // `(?<name>…)` is a group of a pattern.
            !tag.starts_with(b"/")
                && memchr::memchr(b'>', tag).is_none()
                && before(head, open) != b'?'
        })
    }

    fn reading(&self, form: Form, found: value::Literal, indirect: bool) -> Reading {
        let more = value::more(self.text, &found, self.line.end);
        Reading {
            form,
            quote: found.quote,
            value: found.range,
            line: self.line.clone(),
            inside: self.open().is_some(),
            typed: self.typed,
            indirect,
            spaced: self.spaced,
            more,
            announced: self.announced,
            listed: false,
            table: None,
        }
    }

    /// The quoted text that begins at `index`.
    fn quoted(&self, index: usize) -> Option<value::Literal> {
        let near = part(
            self.text,
            index..self.text.len().min(index + value::OPENING),
        );
        let may_be = |byte: &u8| value::is_quote(*byte) || *byte == b'&';
        near.iter()
            .any(may_be)
            .then(|| value::quoted(self.text, index, self.line.end, self.open()))
            .flatten()
    }

    /// What stands in a list at `index`: texts, or the bytes of one value.
    fn list(&self, form: Form, index: usize) -> Vec<Reading> {
        let Some(first) = list::first(self.text, index, self.line.end) else {
            return Vec::new();
        };
        if let Some(bytes) = list::bytes(self.text, first, self.line.end) {
            return vec![self.reading(form, bytes, false)];
        }
        let texts = list::texts(self.text, first, self.line.end, self.open());
        let reading = |found| Reading {
            listed: true,
            more: false,
            ..self.reading(form, found, false)
        };
        texts.into_iter().map(reading).collect()
    }

    /// What stands at `index`, behind an operator.
    fn value(&mut self, form: Form, index: usize) -> Vec<Reading> {
        let text = self.text;
        let mut index = skip_blanks(text, index, self.line.end);
        if form == Form::Markup {
            if index < self.line.end {
                let found = block::content(text, index, self.line.end);
                return vec![self.reading(form, found, false)];
            }
            let (index, end) = self.line_below();
            let found = block::content(text, index, end);
            let rest = part(text, found.end..text.len().min(found.end + SKIPPED));
            let closes = rest.trim_ascii_start().starts_with(b"</");
            return closes
                .then(|| self.reading(form, found, false))
                .into_iter()
                .collect();
        }
        let opened = at(text, index) == b'(' && index + 1 == self.line.end;
        if index >= self.line.end || (opened && form == Form::Equals) {
            return self.next_line(form);
        }
        if matches!(form, Form::Colon | Form::Member)
            && let Some(found) = block::of_scalar(text, index, &self.line)
        {
            return vec![self.reading(form, found, false)];
        }
        if form == Form::Colon
            && !self.typed
            && let Some(after) = self.annotation(index)
        {
            self.typed = true;
            index = skip_blanks(text, after, self.line.end);
        }
        // The type of a scalar in YAML.
        let tag = b"!!str ";
        if form == Form::Colon && part(text, index..self.line.end).starts_with(tag) {
            index = skip_blanks(text, index + tag.len(), self.line.end);
        }
        if matches!(form, Form::Equals | Form::Colon | Form::Member)
            && let Some(found) = block::of_heredoc(text, index, &self.line)
        {
            return vec![self.reading(form, found, false)];
        }
        if form == Form::Equals
            && let Some(found) = value::bracketed(text, index, self.line.end)
        {
            return vec![self.reading(form, found, false)];
        }
        if let Some(found) = self.quoted(index) {
            // Whom it lets in comes first: `Credential("user", secret)`.
            let next = at(text, skip_blanks(text, found.end, self.line.end));
            let subject =
                form == Form::Call && self.key.name.family.id == "credential" && next == b',';
            if subject {
                return Vec::new();
            }
            return vec![self.reading(form, found, false)];
        }
        if !matches!(form, Form::Call | Form::Compare) {
            let listed = self.list(form, index);
            if !listed.is_empty() {
                return listed;
            }
            if at(text, index) == b'{'
                && let Some(found) = self.object(index)
            {
                return vec![found];
            }
        }
        let joined = matches!(before(text, self.key.range.start), b'?' | b'&' | b';');
        if self.key.dashes > 0 || joined || (form == Form::Colon && self.is_source()) {
            // A flag of a command line, a parameter of a URL, a part of a connection string.
            let found = value::in_text(text, index..self.line.end, self.open(), false);
            let form = if joined { Form::Query } else { Form::Flag };
            return vec![self.reading(form, found, false)];
        }
        if self.open().is_some() {
            let header = form == Form::Colon;
            let found = value::in_text(text, index..self.line.end, self.open(), header);
            return vec![self.reading(form, found, false)];
        }
        if form == Form::Call {
            let decoded = value::decoded(text, index, self.line.end);
            return decoded
                .map(|found| self.reading(Form::Equals, found, false))
                .into_iter()
                .collect();
        }
        if matches!(form, Form::Argument | Form::Compare) {
            return Vec::new();
        }
        let bare = value::bare(text, index..self.line.end);
        let mut out = vec![self.reading(form, bare, false)];
        if let Some(found) = value::default(text, index..self.line.end) {
            out.push(self.reading(form, found, true));
        }
        out
    }

    /// The next line that says something, without its indent.
    fn line_below(&self) -> (usize, usize) {
        let text = self.text;
        let mut index = self.line.end;
        while matches!(at(text, index), b'\r' | b'\n' | b' ' | b'\t')
            && index < self.line.end + SKIPPED
        {
            index += 1;
        }
        (index, line_of(text, &(index..index)).end.max(index))
    }

    /// The value on the line after the operator, or in the block below it.
    fn next_line(&mut self, form: Form) -> Vec<Reading> {
        let text = self.text;
        let (index, end) = self.line_below();
        let found = value::quoted(text, index, end, None);
        // In YAML and JSON what follows may be the next name.
        let is_name = found.as_ref().is_some_and(|found| {
            let after = skip_blanks(text, found.range.end + 1, end);
            at(text, after) == b':'
        });
        match found {
            Some(found) if !is_name && form != Form::Call => vec![self.reading(form, found, false)],
            None if form == Form::Colon => {
                let found = block::of_mapping(text, &self.line).into_iter();
                found
                    .map(|found| self.reading(Form::Colon, found, false))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The end of `Type =` after `name:`.
    fn annotation(&self, index: usize) -> Option<usize> {
        let rest = part(self.text, index..self.line.end.min(index + 60));
        let equals = memchr::memchr(b'=', rest)?;
        // Padding of base64 is no operator.
        let next = rest.get(equals + 1)?;
        let apart = before(rest, equals) == b' ' || matches!(next, b'"' | b'\'');
        if matches!(next, b'=' | b'>') || !apart {
            return None;
        }
        let name = rest.get(..equals)?.trim_ascii();
        let plain = name
            .first()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'&')
            && name.iter().all(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(
                        byte,
                        b'_' | b'.'
                            | b'<'
                            | b'>'
                            | b'['
                            | b']'
                            | b'?'
                            | b'|'
                            | b'&'
                            | b'\''
                            | b' '
                            | b','
                            | b':'
                    )
            });
        plain.then_some(index + equals + 1)
    }

    /// No operator: `--name value`, `ENV NAME value`, `NAME 'value'`, `name string = "value"`.
    fn beside(&mut self, index: usize, value: usize) -> Vec<Reading> {
        let text = self.text;
        if value == index {
            return Vec::new();
        }
        let found = self.paired(index);
        if let Some(found) = found {
            return vec![found];
        }
        if self.key.dashes > 0 && !self.quoted_name {
            let found = self
                .quoted(value)
                .unwrap_or_else(|| value::in_text(text, value..self.line.end, self.open(), false));
            return vec![self.reading(Form::Flag, found, false)];
        }
        // `IDENTIFIED BY value`
        let is_by = self.key.name.after.last().is_some_and(|word| word == "by");
        let form = if self.is_defined() || self.is_set() {
            Form::Equals
        } else if is_by {
            Form::Flag
        } else {
            Form::Beside
        };
        let is_code = is_by && at(text, value) == b'`';
        if let Some(found) = self.quoted(value)
            && !is_code
        {
            return vec![self.reading(form, found, false)];
        }
        if form == Form::Equals {
            let listed = self.list(form, value);
            if !listed.is_empty() {
                return listed;
            }
        }
        if is_by {
            let found = value::in_text(text, value..self.line.end, self.open(), false);
            return vec![self.reading(Form::Flag, found, false)];
        }
        // A type between the name and the operator.
        let of_type = part(text, value..self.line.end.min(value + 3));
        let value = if of_type.eq_ignore_ascii_case(b"as ") {
            value + of_type.len()
        } else {
            value
        };
        let word = value
            + part(text, value..self.line.end)
                .iter()
                .take(40)
                .take_while(|byte| {
                    byte.is_ascii_alphanumeric()
                        || matches!(byte, b'_' | b'*' | b'.' | b'[' | b']' | b'<' | b'>' | b'?')
                })
                .count();
        let operator = skip_blanks(text, word, self.line.end);
        if word > value
            && operator > word
            && at(text, operator) == b'='
            && !matches!(at(text, operator + 1), b'=' | b'>')
        {
            self.typed = true;
            return self.value(Form::Equals, operator + 1);
        }
        if (self.starts_line() || self.is_set()) && self.open().is_none() && !self.quoted_name {
            let found = value::bare(text, value..self.line.end);
            return vec![self.reading(form, found, false)];
        }
        Vec::new()
    }

    /// Whether the name is that of a macro or of a setting: `#define NAME "value"`, `set name "value"`.
    fn is_defined(&self) -> bool {
        const COMMANDS: [&[u8]; 5] = [b"set", b"set(", b"(def", b"(defonce", b"(define"];
        let head = self.head().trim_ascii();
        head.ends_with(b"define") && head.len() <= 10
            || is_one_of(&COMMANDS, head)
            || (before(self.text, self.key.range.start) == b':' && self.open().is_none())
    }

    /// Whether the name is that of a variable or a header that a command gives a value, with nothing between the two.
    fn is_set(&self) -> bool {
        const COMMANDS: [&[u8]; 9] = [
            b"setenv ",
            b"setx ",
            b"set -x ",
            b"set -gx ",
            b"set -ux ",
            b"set -g ",
            b"proxy_set_header ",
            b"fastcgi_param ",
            b"uwsgi_param ",
        ];
        is_one_of(&COMMANDS, self.head().trim_ascii_start())
    }

    /// Whether the name is the first word of its line, but for a command that sets variables.
    fn starts_line(&self) -> bool {
        const COMMANDS: [&[u8]; 12] = [
            b"",
            b"env",
            b"arg",
            b"export",
            b"set",
            b"setx",
            b"setenv",
            b"login",
            b"config set",
            b"\\set",
            b"#",
            b"default",
        ];
        let head = self.head().trim_ascii();
        let head = head.strip_prefix(b"RUN ").unwrap_or(head);
        is_one_of(&COMMANDS, head)
            || head
                .rsplit(|byte| *byte == b' ')
                .nth(1)
                .is_some_and(|word| word == b"login")
    }

    /// The line before the name.
    fn head(&self) -> &[u8] {
        part(self.text, self.line.start..self.key.range.start)
    }

    /// The value that a second name announces: `value="…"`, `"value": "…"`, `value: …` on the next line.
    fn paired(&mut self, index: usize) -> Option<Reading> {
        let text = self.text;
        let mut next = index;
        let most = index + 120;
        while next < most
            && matches!(
                at(text, next),
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b'"' | b'\'' | b'-'
            )
        {
            next += 1;
        }
        let end = key::end_of(text, next);
        if !block::is_value(part(text, next..end)) {
            return None;
        }
        let mut operator = end;
        if matches!(at(text, operator), b'"' | b'\'') {
            operator += 1;
        }
        operator = skip_blanks(text, operator, operator + 8);
        if !matches!(at(text, operator), b'=' | b':') {
            return None;
        }
        let value = skip_blanks(text, operator + 1, operator + 40);
        let line = line_of(text, &(next..value));
        let found = value::quoted(text, value, line.end, None)
            .unwrap_or_else(|| value::bare(text, value..line.end));
        let mut reading = self.reading(Form::Paired, found, false);
        reading.inside = false;
        Some(reading)
    }
}

/// The quote that the name stands inside of: opened before it on its line and closed behind it.
fn enclosing(text: &[u8], line: &Range<usize>, name: &Range<usize>) -> Option<u8> {
    let quotes = |range| memchr::memchr3(b'"', b'\'', b'`', part(text, range)).is_some();
    if !quotes(line.start..name.start) || !quotes(name.end..line.end) {
        return None;
    }
    let mut open: Option<u8> = None;
    let mut index = line.start;
    while index < name.start {
        let byte = at(text, index);
        match (byte, open) {
            (b'\\', _) => index += 1,
            (b'"' | b'\'' | b'`', None) => {
                // An apostrophe in a word opens nothing.
                let apostrophe = byte == b'\''
                    && before(text, index).is_ascii_alphanumeric()
                    && at(text, index + 1).is_ascii_alphanumeric();
                if !apostrophe {
                    open = Some(byte);
                }
            }
            (byte, Some(quote)) if byte == quote => open = None,
            _ => {}
        }
        index += 1;
    }
    open.filter(|quote| memchr::memchr(*quote, part(text, name.end..line.end)).is_some())
}

/// Whether `words` are one of the commands, in any letter case.
fn is_one_of(commands: &[&[u8]], words: &[u8]) -> bool {
    commands.iter().any(|one| one.eq_ignore_ascii_case(words))
}

fn skip_blanks(text: &[u8], index: usize, end: usize) -> usize {
    let mut index = index;
    while index < end && matches!(at(text, index), b' ' | b'\t') {
        index += 1;
    }
    index
}
