//! From the values that a credential's type wants to the claims of one, nested as their paths say.

use super::Claims;
use serde_json::{Map, Value};
use yufu_profile::{ClaimPath, ClaimValue};

/// The claims with these values.
pub(crate) fn claims_of(values: Vec<(ClaimPath, ClaimValue)>) -> Claims {
    let mut claims = Claims::new();
    for (path, value) in values {
        insert(&mut claims, &path, json(value));
    }
    claims
}

fn json(value: ClaimValue) -> Value {
    match value {
        ClaimValue::Text(text) => text.into(),
        ClaimValue::Number(number) => number.into(),
        ClaimValue::Flag(flag) => flag.into(),
    }
}

/// Puts a value at the end of its path, making the objects on the way.
fn insert(claims: &mut Map<String, Value>, path: &ClaimPath, value: Value) {
    let Some((last, outer)) = path.segments().split_last() else { return };
    let mut place = claims;
    for name in outer {
        let entry = place.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inner) = entry else { return };
        place = inner;
    }
    place.insert(last.clone(), value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_nest() {
        let mut claims = Map::new();
        insert(&mut claims, &"address.locality".parse().unwrap(), json!("江城"));
        insert(&mut claims, &"address.region".parse().unwrap(), json!("湖北"));
        insert(&mut claims, &"sex".parse().unwrap(), json!(2));
        assert_eq!(
            Value::Object(claims),
            json!({"address": {"locality": "江城", "region": "湖北"}, "sex": 2})
        );
    }
}
