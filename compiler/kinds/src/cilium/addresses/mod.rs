//! Addresses of services and pods.

pub mod l2_announcement_policy;
pub mod load_balancer_ip_pool;
pub mod pod_ip_pool;
