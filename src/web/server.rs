//! The web server: `/`, `/health` and `/metrics`. It changes nothing.

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::health::Health;
use super::metrics::metrics;
use super::page::page;

/// Serves on `listener` until the returned future is dropped. `read` returns the present state.
pub async fn serve(
    listener: TcpListener,
    read: Arc<dyn Fn() -> Health + Send + Sync>,
) -> std::io::Result<()> {
    let (for_page, for_health, for_metrics) = (read.clone(), read.clone(), read);
    let app = Router::new()
        .route("/", get(move || async move { Html(page(&for_page())) }))
        .route("/health", get(move || async move { health_response(&for_health()) }))
        .route("/metrics", get(move || async move { metrics_response(&for_metrics()) }));
    axum::serve(listener, app).await
}

/// JSON, with status 200 when healthy and 503 when not.
fn health_response(health: &Health) -> Response {
    let status = if health.is_healthy() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match serde_json::to_string_pretty(health) {
        Ok(json) => (status, [(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(cause) => (StatusCode::INTERNAL_SERVER_ERROR, cause.to_string()).into_response(),
    }
}

fn metrics_response(health: &Health) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics(health)).into_response()
}
