//! What each call does, for who may.

use super::messages::{
    Cell, GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse,
    KeyResponse, MetricSpec, MetricValue, QuantRequest, QuantResponse, Row, RowsRequest,
    RowsResponse, SymbolsResponse, Value,
};
use crate::admit::Asker;
use crate::answer::Refusal;
use crate::reads::Terms;
use crate::routes::{Api, What, route_named};
use crate::sight::Sight;
use std::sync::Arc;
use tokio::sync::mpsc;
use tonic::{Request, Response};

/// The metric that an autoscaler is told.
const METRIC: &str = "wirecross-shards";

/// Shards that there are to be.
fn shards(api: &Api) -> Result<u32, Refusal> {
    let told = *api.scales()?.told().borrow();
    told.ok_or_else(|| Refusal::Unavailable("not every shard was heard yet".to_owned()))
}

/// Who asks while nothing is decided is told no lie: an autoscaler then leaves things as they are.
pub(super) fn is_active(api: &Api) -> Result<IsActiveResponse, Refusal> {
    let result = shards(api)? > 0;
    Ok(IsActiveResponse { result })
}

/// The same at once, and whenever the number changes.
pub(super) fn stream_is_active(
    api: &Api,
) -> Result<mpsc::Receiver<Result<IsActiveResponse, tonic::Status>>, Refusal> {
    let mut told = api.scales()?.told();
    let (tell, answers) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let shards = *told.borrow_and_update();
            if let Some(shards) = shards {
                let result = shards > 0;
                if tell.send(Ok(IsActiveResponse { result })).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                changed = told.changed() => if changed.is_err() { return },
                () = tell.closed() => return,
            }
        }
    });
    Ok(answers)
}

/// One metric, of which a replica is to have 1: so there are to be as many as it says.
pub(super) fn metric_spec(api: &Api) -> Result<GetMetricSpecResponse, Refusal> {
    api.scales()?;
    Ok(GetMetricSpecResponse {
        metric_specs: vec![MetricSpec {
            metric_name: METRIC.to_owned(),
            target_size: 1,
            target_size_float: 1.0,
        }],
    })
}

pub(super) fn metrics(api: &Api, asked: &GetMetricsRequest) -> Result<GetMetricsResponse, Refusal> {
    let name = &asked.metric_name;
    if !name.is_empty() && name != METRIC {
        return Err(Refusal::NotFound(format!("no metric {name:?}: {METRIC}")));
    }
    let shards = shards(api)?;
    Ok(GetMetricsResponse {
        metric_values: vec![MetricValue {
            metric_name: METRIC.to_owned(),
            metric_value: shards.into(),
            metric_value_float: shards.into(),
        }],
    })
}

pub(super) fn key(asker: Option<&Asker>) -> KeyResponse {
    KeyResponse {
        name: asker.map_or_else(String::new, |asker| asker.name.clone()),
        role: asker.map_or("", |asker| asker.role.name()).to_owned(),
        accounts: asker.map_or_else(Vec::new, |asker| asker.accounts.clone()),
    }
}

/// Rows of a query that this key may ask for, as a path of the same name gives them; metadata says
/// what they must be behind, and what they are behind.
pub(super) async fn rows(
    api: &Arc<Api>,
    asker: Option<&Asker>,
    request: &Request<RowsRequest>,
) -> Result<Response<RowsResponse>, Refusal> {
    let asked = request.get_ref();
    let route = route_named(&asked.query);
    let Some((route, What::Rows(query))) = route.map(|route| (route, route.what)) else {
        let query = &asked.query;
        return Err(Refusal::NotFound(format!(
            "no query {query:?}: docs/store.md has all"
        )));
    };
    if !asker.is_some_and(|asker| asker.role.may(route.right)) {
        return Err(Refusal::Forbidden(format!(
            "this key may not ask for {query:?}"
        )));
    }
    let parameters = asked.parameters.iter();
    let parameters: Vec<(&str, &str)> = parameters.map(|(k, v)| (&**k, &**v)).collect();
    let mut sight = Sight::asked(request.metadata().as_ref())?;
    let terms = Terms::behind(api.answer_max(), sight.after());
    let bytes = api
        .rows(query, asker, &parameters, (terms, &mut sight))
        .await?;
    Ok(sight.told_by_grpc(table(&bytes)?))
}

/// An array of objects as columns and rows.
fn table(bytes: &[u8]) -> Result<RowsResponse, Refusal> {
    type Object = serde_json::Map<String, serde_json::Value>;
    let broken = |error| Refusal::Unavailable(format!("the tables: {error}"));
    let objects: Vec<Object> = serde_json::from_slice(bytes).map_err(broken)?;
    let columns = objects
        .first()
        .map_or_else(Vec::new, |it| it.keys().cloned().collect());
    let cell = |value: serde_json::Value| {
        let value = match value {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(Value::Text(text)),
            other => Some(
                other
                    .as_i64()
                    .map_or_else(|| Value::Text(other.to_string()), Value::Number),
            ),
        };
        Cell { value }
    };
    let row = |object: Object| Row {
        cells: object.into_iter().map(|(_, value)| cell(value)).collect(),
    };
    Ok(RowsResponse {
        columns,
        rows: objects.into_iter().map(row).collect(),
    })
}

pub(super) fn symbols(api: &Api) -> Result<SymbolsResponse, Refusal> {
    let hub = api.hub()?;
    Ok(SymbolsResponse {
        symbols: hub.symbols().iter().map(|it| it.to_string()).collect(),
        feed: hub.sight().name().to_owned(),
    })
}

/// What a command of `wirecross quant` says.
pub(super) async fn quant(
    api: &Arc<Api>,
    command: &'static str,
    asked: QuantRequest,
) -> Result<QuantResponse, Refusal> {
    let params = asked.parameters.into_iter();
    let params = params.map(|(name, text)| (name, text.into())).collect();
    let answer = api.quant.ask(command, params, api.answer_max()).await?;
    let json =
        String::from_utf8(answer).map_err(|error| Refusal::Unavailable(error.to_string()))?;
    Ok(QuantResponse { json })
}
