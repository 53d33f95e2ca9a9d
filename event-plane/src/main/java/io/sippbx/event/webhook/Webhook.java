package io.sippbx.event.webhook;

import io.sippbx.shared.config.EventsConfig.WebhookType;

/**
 * What is posted of one event.
 *
 * @param id the same whenever the same event is posted
 * @param subject whose order it is of: a call key
 * @param seq dense within the subject, from 1; 0: no order is known
 * @param body JSON, the same octets whenever the same event is posted
 */
public record Webhook(String id, WebhookType type, String subject, int seq, String body) {}
