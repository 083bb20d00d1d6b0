<?php

// The first user of Firefly III and a personal access token for Twinning. Safe at every start: a user that is there stays
// as it is, a token that is let in and lives for two more months is kept. Firefly's own command makes users in tests only.

declare(strict_types=1);

use FireflyIII\Repositories\User\UserRepositoryInterface;
use FireflyIII\User;
use Illuminate\Contracts\Console\Kernel;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Hash;
use Laravel\Passport\ClientRepository;

const NAME = 'twinning';
const SECONDS_TO_LIVE = 60 * 86400;

function setting(string $name, string $default = ''): string
{
    $value = getenv($name);
    if (false !== $value && '' !== $value) {
        return $value;
    }
    if ('' === $default) {
        throw new RuntimeException("{$name} is not set");
    }

    return $default;
}

function secret(string $name): string
{
    $file  = setting('SECRETS_DIRECTORY', '/run/secrets')."/{$name}";
    $value = is_readable($file) ? trim((string) file_get_contents($file)) : '';
    if ('' === $value) {
        throw new RuntimeException("the secret {$name} is missing or empty");
    }

    return $value;
}

/** The owner: the one of TWINNING_OWNER_EMAIL, else the first, else a new one. */
function owner(string $email): User
{
    $users = app(UserRepositoryInterface::class);
    $user  = $users->findByEmail($email) ?? $users->first();
    if (null !== $user) {
        return $user;
    }
    $user           = $users->store(['blocked' => false, 'blocked_code' => null, 'email' => $email, 'role' => 'owner']);
    $user->password = Hash::make(secret('firefly_owner_password'));
    $user->save();
    // What else a registration would do: without a group a user can book nothing.
    Artisan::call('correction:create-group-memberships');
    fwrite(STDOUT, "firefly: user {$email} is made; its password is the secret firefly_owner_password\n");

    return $user->fresh() ?? $user;
}

/** Whether the token is of this server and lives long enough. Only the server itself can tell the former. */
function is_good(string $token): bool
{
    $claims = json_decode((string) base64_decode(strtr(explode('.', $token)[1] ?? '', '-_', '+/'), true), true);
    if (!is_array($claims) || (float) ($claims['exp'] ?? 0) < time() + SECONDS_TO_LIVE) {
        return false;
    }
    $context = stream_context_create(['http' => [
        'header'        => "Authorization: Bearer {$token}\r\nAccept: application/json\r\n",
        'timeout'       => 20,
        'ignore_errors' => true,
    ]]);
    $address = setting('FIREFLY_URL', 'http://firefly:8080').'/api/v1/about';
    $body    = @file_get_contents($address, false, $context);
    $status  = preg_match('#^HTTP/\S+ (\d+)#', $http_response_header[0] ?? '', $found) ? (int) $found[1] : 0;
    if (false === $body || !in_array($status, [200, 401, 403], true)) {
        throw new RuntimeException("{$address} answers with {$status}");
    }

    return 200 === $status;
}

function make_token(User $user): string
{
    $shared = DB::table('oauth_clients')->where('grant_types', '["personal_access"]')->whereNull('owner_id')->count();
    if (0 === $shared) {
        app(ClientRepository::class)->createPersonalAccessGrantClient('Firefly III Personal Access Grant Client', null);
    }

    return $user->createToken(NAME)->accessToken;
}

function keep(string $file, string $token): void
{
    $new = "{$file}.new";
    if (strlen($token) !== file_put_contents($new, $token) || !chmod($new, 0444) || !rename($new, $file)) {
        throw new RuntimeException("{$file} cannot be written");
    }
}

function run(): void
{
    $path = setting('FIREFLY_III_PATH', '/var/www/html');
    require "{$path}/vendor/autoload.php";
    $app = require "{$path}/bootstrap/app.php";
    $app->make(Kernel::class)->bootstrap();
    // The server keeps the keys that sign tokens in the database; they are files of each container.
    Artisan::call('correction:restore-oauth-keys');

    $user = owner(setting('TWINNING_OWNER_EMAIL'));
    $file = setting('TOKENS_DIRECTORY', '/tokens').'/firefly_twinning';
    if (is_readable($file) && is_good(trim((string) file_get_contents($file)))) {
        fwrite(STDOUT, "firefly: user and token are there\n");

        return;
    }
    $before = $user->tokens()->where('name', NAME)->where('revoked', false)->get();
    keep($file, make_token($user));
    foreach ($before as $token) {
        $token->revoke();
    }
    fwrite(STDOUT, "firefly: {$file} holds a new token\n");
}

umask(0077);

try {
    run();
} catch (Throwable $problem) {
    fwrite(STDERR, 'firefly: '.$problem->getMessage()."\n");

    exit(1);
}
