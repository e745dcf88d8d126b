//! Expressions: evaluated as far as code tells, unknown where it does not.

use super::super::infra::value::{self, Val, append, marked, unmarked, wholly_marked};
use super::functions;
use super::scope::Scope;
use hcl_edit::expr::{
    BinaryOperator, Expression, ForExpr, FuncCall, ObjectKey, Traversal, TraversalOperator,
    UnaryOperator,
};
use hcl_edit::template::{Directive, Element, Template};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Deepest evaluation, over all files of a repository.
pub(super) const MAX_DEPTH: usize = 96;
/// Most items a loop makes.
const MAX_ITEMS: usize = 10_000;

/// Names bound on the way: `each`, `count`, the variables of a loop.
pub(super) struct Env<'e> {
    pub(super) name: &'e str,
    pub(super) value: &'e Val,
    pub(super) outer: Option<&'e Env<'e>>,
}

fn bound(env: Option<&Env<'_>>, name: &str) -> Option<Val> {
    let mut env = env;
    while let Some(here) = env {
        if here.name == name {
            return Some(here.value.clone());
        }
        env = here.outer;
    }
    None
}

/// What evaluation happens in: the module, the names bound, and how deep it is.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) scope: &'a Rc<Scope>,
    pub(super) env: Option<&'a Env<'a>>,
    pub(super) depth: usize,
}

impl At<'_> {
    const fn deeper(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }

    /// Evaluates an expression.
    pub(super) fn eval(self, expr: &Expression) -> Val {
        if self.depth > MAX_DEPTH || !self.scope.spend() {
            return Val::open("an expression too large to evaluate");
        }
        let at = self.deeper();
        match expr {
            Expression::Null(_) => Val::Null,
            Expression::Bool(flag) => Val::Bool(*flag.value()),
            Expression::Number(number) => Val::Number(number.value().as_f64().unwrap_or(0.0)),
            Expression::String(text) => Val::Text(unmarked(text.value())),
            Expression::Array(items) => Val::list(items.iter().map(|item| at.eval(item)).collect()),
            Expression::Object(object) => {
                let mut map = BTreeMap::new();
                for (key, value) in object {
                    let key = match key {
                        ObjectKey::Ident(ident) => Some(ident.as_str().to_owned()),
                        ObjectKey::Expression(expr) => at.eval(expr).as_text(),
                    };
                    if let Some(key) = key {
                        map.insert(key, at.eval(value.expr()));
                    }
                }
                Val::map(map)
            }
            Expression::StringTemplate(parts) => at.elements(&mut parts.iter()),
            Expression::HeredocTemplate(heredoc) => at.template(&heredoc.template),
            Expression::Parenthesis(inner) => at.eval(inner.inner()),
            Expression::Variable(name) => {
                bound(self.env, name.as_str()).unwrap_or_else(|| Val::open(unmarked(name.as_str())))
            }
            Expression::Conditional(conditional) => at.choose(
                &conditional.cond_expr,
                &conditional.true_expr,
                &conditional.false_expr,
            ),
            Expression::FuncCall(call) => at.call(call),
            Expression::Traversal(traversal) => at.traverse(traversal),
            Expression::UnaryOp(op) => {
                let value = at.eval(&op.expr);
                match (op.operator.value(), value.as_bool(), value.as_number()) {
                    (UnaryOperator::Not, Some(flag), _) => Val::Bool(!flag),
                    (UnaryOperator::Neg, _, Some(number)) => Val::Number(-number),
                    _ => unknown_of(&[&value]),
                }
            }
            Expression::BinaryOp(op) => at.binary(&op.lhs_expr, *op.operator.value(), &op.rhs_expr),
            Expression::ForExpr(for_expr) => at.for_each(for_expr),
        }
    }

    fn choose(self, condition: &Expression, yes: &Expression, no: &Expression) -> Val {
        let condition = self.eval(condition);
        match condition.as_bool() {
            Some(true) => self.eval(yes),
            Some(false) => self.eval(no),
            None => {
                let (yes, no) = (self.eval(yes), self.eval(no));
                if yes.same(&no) == Some(true) {
                    yes
                } else {
                    unknown_of(&[&condition])
                }
            }
        }
    }

    fn binary(self, left: &Expression, operator: BinaryOperator, right: &Expression) -> Val {
        let left = self.eval(left);
        match (operator, left.as_bool()) {
            (BinaryOperator::And, Some(false)) => return Val::Bool(false),
            (BinaryOperator::Or, Some(true)) => return Val::Bool(true),
            _ => {}
        }
        let right = self.eval(right);
        let unknown = || unknown_of(&[&left, &right]);
        let numbers = || Some((left.as_number()?, right.as_number()?));
        let compared = |test: fn(f64, f64) -> bool| {
            numbers().map_or_else(unknown, |(l, r)| Val::Bool(test(l, r)))
        };
        let computed = |with: fn(f64, f64) -> f64| {
            numbers()
                .map(|(l, r)| with(l, r))
                .filter(|number| number.is_finite())
                .map_or_else(unknown, Val::Number)
        };
        match operator {
            BinaryOperator::Eq => left.same(&right).map_or_else(unknown, Val::Bool),
            BinaryOperator::NotEq => left
                .same(&right)
                .map_or_else(unknown, |same| Val::Bool(!same)),
            BinaryOperator::And => match (left.as_bool(), right.as_bool()) {
                (_, Some(false)) => Val::Bool(false),
                (Some(true), Some(true)) => Val::Bool(true),
                _ => unknown(),
            },
            BinaryOperator::Or => match (left.as_bool(), right.as_bool()) {
                (_, Some(true)) => Val::Bool(true),
                (Some(false), Some(false)) => Val::Bool(false),
                _ => unknown(),
            },
            BinaryOperator::LessEq => compared(|l, r| l <= r),
            BinaryOperator::GreaterEq => compared(|l, r| l >= r),
            BinaryOperator::Less => compared(|l, r| l < r),
            BinaryOperator::Greater => compared(|l, r| l > r),
            BinaryOperator::Plus => computed(|l, r| l + r),
            BinaryOperator::Minus => computed(|l, r| l - r),
            BinaryOperator::Mul => computed(|l, r| l * r),
            BinaryOperator::Div => computed(|l, r| l / r),
            BinaryOperator::Mod => computed(|l, r| l % r),
        }
    }

    fn call(self, call: &FuncCall) -> Val {
        if call.name.is_namespaced() {
            return Val::open(format!("{}()", call.name.name.as_str()));
        }
        let name = call.name.name.as_str();
        match name {
            // Decided by what can be evaluated, so their arguments are looked at one by one.
            "try" => {
                let mut last = Val::Null;
                for argument in &call.args {
                    last = self.eval(argument);
                    if !last.is_null() {
                        return last;
                    }
                }
                return last;
            }
            "can" => {
                let value = call
                    .args
                    .iter()
                    .next()
                    .map_or(Val::Null, |first| self.eval(first));
                return if value.known() {
                    Val::Bool(!value.is_null())
                } else {
                    unknown_of(&[&value])
                };
            }
            _ => {}
        }
        let mut arguments: Vec<Val> = call
            .args
            .iter()
            .map(|argument| self.eval(argument))
            .collect();
        if call.args.expand_final()
            && let Some(last) = arguments.pop()
        {
            match last.items() {
                Some(items) => arguments.extend(items),
                None => return unknown_of(&[&last]),
            }
        }
        functions::call(self, name, &arguments)
    }

    fn traverse(self, traversal: &Traversal) -> Val {
        let operators: Vec<&TraversalOperator> = traversal
            .operators
            .iter()
            .map(hcl_edit::Decorated::value)
            .collect();
        let Expression::Variable(root) = &traversal.expr else {
            return self.follow(self.eval(&traversal.expr), &operators);
        };
        let root = root.as_str();
        if let Some(value) = bound(self.env, root) {
            return self.follow(value, &operators);
        }
        let name_at = |at: usize| match operators.get(at) {
            Some(TraversalOperator::GetAttr(name)) => Some(name.as_str()),
            _ => None,
        };
        let Some(first) = name_at(0) else {
            return Val::open(unmarked(root));
        };
        let scope = self.scope;
        let (value, used) = match root {
            "var" => (scope.variable(first, self.depth), 1),
            "local" => (scope.local(first, self.depth), 1),
            "module" => (scope.module(first, self.depth), 1),
            "path" => (scope.path(first), 1),
            "each" | "count" | "self" | "terraform" => (Val::open(format!("{root}.{first}")), 1),
            "data" | "ephemeral" => match name_at(1) {
                Some(name) => (scope.resource(root == "data", first, name, self.depth), 2),
                None => (Val::open(format!("{root}.{first}")), 1),
            },
            kind => (scope.resource(false, kind, first, self.depth), 1),
        };
        self.follow(value, operators.get(used..).unwrap_or_default())
    }

    fn follow(self, mut value: Val, operators: &[&TraversalOperator]) -> Val {
        for (at, operator) in operators.iter().enumerate() {
            value = match operator {
                TraversalOperator::GetAttr(name) => value.get(name.as_str()),
                TraversalOperator::Index(index) => index_of(&value, &self.eval(index)),
                TraversalOperator::LegacyIndex(index) => value.get(&index.value().to_string()),
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    let rest = operators.get(at + 1..).unwrap_or_default();
                    return match value.items() {
                        Some(items) => Val::list(
                            items
                                .into_iter()
                                .map(|item| self.follow(item, rest))
                                .collect(),
                        ),
                        None => value,
                    };
                }
            };
        }
        value
    }

    fn for_each(self, expr: &ForExpr) -> Val {
        let collection = self.eval(&expr.intro.collection_expr);
        let Some(entries) = entries(&collection) else {
            return unknown_of(&[&collection]);
        };
        let (mut list, mut map) = (Vec::new(), BTreeMap::<String, Val>::new());
        let key_name = expr.intro.key_var.as_ref().map(|name| name.as_str());
        let value_name = expr.intro.value_var.as_str();
        for (key, value) in entries.into_iter().take(MAX_ITEMS) {
            let key_env = Env {
                name: key_name.unwrap_or(""),
                value: &key,
                outer: self.env,
            };
            let env = Env {
                name: value_name,
                value: &value,
                outer: Some(&key_env),
            };
            let at = At {
                env: Some(&env),
                ..self
            };
            if let Some(condition) = &expr.cond
                && at.eval(&condition.expr).as_bool() == Some(false)
            {
                continue;
            }
            let made = at.eval(&expr.value_expr);
            match &expr.key_expr {
                None => list.push(made),
                Some(key) => {
                    let Some(key) = at.eval(key).as_text() else {
                        continue;
                    };
                    match map.get_mut(&key) {
                        Some(Val::List(group)) if expr.grouping => Rc::make_mut(group).push(made),
                        _ if expr.grouping => {
                            map.insert(key, Val::list(vec![made]));
                        }
                        _ => {
                            map.insert(key, made);
                        }
                    }
                }
            }
        }
        if expr.key_expr.is_some() {
            Val::map(map)
        } else {
            Val::list(list)
        }
    }

    /// Renders a template.
    pub(super) fn template(self, template: &Template) -> Val {
        self.elements(&mut template.iter())
    }

    fn elements(self, elements: &mut dyn Iterator<Item = &Element>) -> Val {
        let mut out = String::new();
        for element in elements {
            let more = match element {
                Element::Literal(text) => unmarked(text.value()),
                Element::Interpolation(inner) => match self.eval(&inner.expr) {
                    Val::Null => String::new(),
                    value => value
                        .as_text()
                        .unwrap_or_else(|| value.to_json().to_string()),
                },
                Element::Directive(directive) => self.directive(directive),
            };
            if !append(&mut out, &more) {
                return Val::open("a text too long to evaluate");
            }
        }
        Val::Text(out)
    }

    fn directive(self, directive: &Directive) -> String {
        if self.depth > MAX_DEPTH {
            return String::new();
        }
        let at = self.deeper();
        let text =
            |template: &Template, at: At<'_>| at.template(template).as_text().unwrap_or_default();
        match directive {
            Directive::If(directive) => {
                let condition = at.eval(&directive.if_expr.cond_expr);
                match condition.as_bool() {
                    Some(true) => text(&directive.if_expr.template, at),
                    Some(false) => directive
                        .else_expr
                        .as_ref()
                        .map_or_else(String::new, |other| text(&other.template, at)),
                    None => unknown_of(&[&condition]).as_text().unwrap_or_default(),
                }
            }
            Directive::For(directive) => {
                let collection = at.eval(&directive.for_expr.collection_expr);
                let Some(entries) = entries(&collection) else {
                    return unknown_of(&[&collection]).as_text().unwrap_or_default();
                };
                let mut out = String::new();
                let key_name = directive
                    .for_expr
                    .key_var
                    .as_ref()
                    .map(|name| name.as_str());
                for (key, value) in entries.into_iter().take(MAX_ITEMS) {
                    let key_env = Env {
                        name: key_name.unwrap_or(""),
                        value: &key,
                        outer: at.env,
                    };
                    let env = Env {
                        name: directive.for_expr.value_var.as_str(),
                        value: &value,
                        outer: Some(&key_env),
                    };
                    let inner = At {
                        env: Some(&env),
                        ..at
                    };
                    if !append(&mut out, &text(&directive.for_expr.template, inner)) {
                        break;
                    }
                }
                out
            }
        }
    }
}

/// Keys and values of a collection; `None` when unknown.
pub(super) fn entries(value: &Val) -> Option<Vec<(Val, Val)>> {
    match value {
        Val::Map(map) => Some(
            map.iter()
                .map(|(key, value)| (Val::Text(key.clone()), value.clone()))
                .collect(),
        ),
        Val::Text(text) if wholly_marked(text) => None,
        Val::Object(_) => None,
        other => Some(
            other
                .items()?
                .into_iter()
                .enumerate()
                .map(|(at, item)| (Val::Number(at as f64), item))
                .collect(),
        ),
    }
}

fn index_of(value: &Val, index: &Val) -> Val {
    match index.as_text() {
        Some(key) if !marked(&key) => match value {
            Val::Map(_) | Val::List(_) | Val::Object(_) | Val::Unknown(_) => value.get(&key),
            Val::Text(text) if wholly_marked(text) => value.clone(),
            _ => Val::Null,
        },
        // Which one is unknown: of a single one there is no question.
        Some(_) => match value {
            Val::Map(map) if map.len() == 1 => map.values().next().cloned().unwrap_or(Val::Null),
            Val::List(items) if items.len() == 1 => items.first().cloned().unwrap_or(Val::Null),
            _ => unknown_of(&[index, value]),
        },
        None => Val::Null,
    }
}

/// The unknown that makes other values unknown.
pub(super) fn unknown_of(values: &[&Val]) -> Val {
    fn label(value: &Val) -> Option<String> {
        match value {
            Val::Unknown(label) => Some(label.clone()),
            Val::Text(text) => value::labels(text).into_iter().next(),
            Val::Object(object) => Some(object.label()),
            Val::List(items) => items.iter().find_map(label),
            Val::Map(entries) => entries.values().find_map(label),
            Val::Null | Val::Bool(_) | Val::Number(_) => None,
        }
    }
    let found = values.iter().find_map(|value| label(value));
    Val::Unknown(found.unwrap_or_else(|| "an expression".to_owned()))
}
