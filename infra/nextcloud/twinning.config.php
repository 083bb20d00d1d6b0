<?php

// What is the same on every start. Nextcloud reads it after its own config.php, and so the web pages cannot undo it.

$words = static fn (string $name, string $default): array
    => preg_split('/\s+/', trim(getenv($name) ?: $default), -1, PREG_SPLIT_NO_EMPTY);

$private = '127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fd00::/8';

$CONFIG = [
    // Nothing is asked or told outside; apps come with the image.
    'has_internet_connection' => false,
    'updatechecker' => false,
    'appstoreenabled' => false,
    'lookup_server' => '',
    'upgrade.disable-web' => true,
    'simpleSignUpLink.shown' => false,
    'knowledgebaseenabled' => false,
    'allow_local_remote_servers' => false,

    // A person's folder holds what they put there, no samples.
    'skeletondirectory' => '',
    'templatedirectory' => '',
    // Files in the inbox stay writable for their group, through which Twinning takes them away.
    'localstorage.umask' => 0002,

    // What nginx says of a visitor's address is believed, and what nobody else says.
    'trusted_proxies' => $words('NEXTCLOUD_PROXY', $private),
    'trusted_domains' => array_values(array_unique(
        array_merge(['localhost', 'nextcloud'], $words('NEXTCLOUD_TRUSTED_DOMAINS', ''))
    )),
    // /metrics tells numbers to Prometheus; nginx lets nobody through to it.
    'openmetrics_allowed_clients' => $words('NEXTCLOUD_NETWORKS', $private),

    'log_type' => 'errorlog',
    'log_type_audit' => 'errorlog',
    'loglevel' => 2,
    'logtimezone' => getenv('TWINNING_ZONE') ?: 'UTC',
    'maintenance_window_start' => 1,
];

// The password of the day: the one in config.php is that of the first start.
$secret = '/run/secrets/nextcloud_db_password';
if (is_readable($secret)) {
    $CONFIG['dbpassword'] = trim((string) file_get_contents($secret));
}

unset($words, $private, $secret);
