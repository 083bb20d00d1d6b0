<?php

// As much of Firefly III 6.6 and Laravel Passport 13 as the first start calls; state in the file $STAND_IN_STATE.

declare(strict_types=1);

namespace {
    final class State
    {
        public static function read(): array
        {
            return json_decode((string) file_get_contents((string) getenv('STAND_IN_STATE')), true, 512, JSON_THROW_ON_ERROR);
        }

        public static function change(callable $how): void
        {
            file_put_contents((string) getenv('STAND_IN_STATE'), json_encode($how(self::read()), JSON_THROW_ON_ERROR));
        }
    }

    final class Kernel
    {
        public function make(string $name): object
        {
            return match ($name) {
                Illuminate\Contracts\Console\Kernel::class => new class() {
                    public function bootstrap(): void
                    {
                        State::change(static fn (array $state): array => ['booted' => true] + $state);
                    }
                },
            };
        }
    }

    function app(string $name): object
    {
        return match ($name) {
            FireflyIII\Repositories\User\UserRepositoryInterface::class => new FireflyIII\Repositories\User\UserRepository(),
            Laravel\Passport\ClientRepository::class => new Laravel\Passport\ClientRepository(),
        };
    }
}

namespace FireflyIII {
    use State;

    final class Token
    {
        public function __construct(private readonly int $number)
        {
        }

        public function revoke(): void
        {
            State::change(function (array $state): array {
                $state['tokens'][$this->number]['revoked'] = true;

                return $state;
            });
        }
    }

    final class Tokens
    {
        private array $wanted = [];

        public function where(string $column, mixed $value): self
        {
            $this->wanted[$column] = $value;

            return $this;
        }

        /** @return Token[] */
        public function get(): array
        {
            $fit = array_filter(State::read()['tokens'], fn (array $token): bool
                => [] === array_diff_assoc(array_map('json_encode', $this->wanted), array_map('json_encode', $token)));

            return array_map(static fn (int $number): Token => new Token($number), array_keys($fit));
        }
    }

    final class User
    {
        public string $password = '';

        public function __construct(public readonly string $email)
        {
        }

        public function save(): void
        {
            State::change(function (array $state): array {
                $state['users'][$this->email]['password'] = $this->password;

                return $state;
            });
        }

        public function fresh(): self
        {
            return new self($this->email);
        }

        public function tokens(): Tokens
        {
            return new Tokens();
        }

        public function createToken(string $name): object
        {
            $state = State::read();
            if (0 === $state['clients']) {
                throw new \RuntimeException('Personal access client not found for \'users\' user provider.');
            }
            if (!($state['users'][$this->email]['group'] ?? false) || !$state['keys']) {
                throw new \RuntimeException('the user has no group, or the keys are not there');
            }
            $claims = ['jti' => bin2hex(random_bytes(8)), 'exp' => time() + $state['lifetime'] + 0.5];
            $text   = 'e30.'.rtrim(strtr(base64_encode(json_encode($claims)), '+/', '-_'), '=').'.'.bin2hex(random_bytes(16));
            State::change(static function (array $state) use ($name, $text): array {
                $state['tokens'][] = ['name' => $name, 'text' => $text, 'revoked' => false];

                return $state;
            });

            return (object) ['accessToken' => $text];
        }
    }
}

namespace FireflyIII\Repositories\User {
    use FireflyIII\User;
    use State;

    interface UserRepositoryInterface
    {
    }

    final class UserRepository implements UserRepositoryInterface
    {
        public function findByEmail(string $email): ?User
        {
            return isset(State::read()['users'][$email]) ? new User($email) : null;
        }

        public function first(): ?User
        {
            $email = array_key_first(State::read()['users']);

            return null === $email ? null : new User((string) $email);
        }

        public function store(array $data): User
        {
            State::change(static function (array $state) use ($data): array {
                $state['users'][$data['email']] = ['role' => $data['role'], 'blocked' => $data['blocked'], 'group' => false];

                return $state;
            });

            return new User($data['email']);
        }
    }
}

namespace Illuminate\Contracts\Console {
    interface Kernel
    {
    }
}

namespace Illuminate\Support\Facades {
    use State;

    final class Artisan
    {
        public static function call(string $command): int
        {
            State::change(static function (array $state) use ($command): array {
                match ($command) {
                    'correction:restore-oauth-keys'       => $state['keys'] = true,
                    'correction:create-group-memberships' => array_walk($state['users'], static function (array &$user): void {
                        $user['group'] = true;
                    }),
                };

                return $state;
            });

            return 0;
        }
    }

    final class Hash
    {
        public static function make(string $word): string
        {
            return password_hash($word, PASSWORD_BCRYPT, ['cost' => 4]);
        }
    }

    final class DB
    {
        public static function table(string $name): object
        {
            return new class($name) {
                private array $asked = [];

                public function __construct(private readonly string $name)
                {
                }

                public function where(string $column, string $value): self
                {
                    $this->asked[] = [$column, $value];

                    return $this;
                }

                public function whereNull(string $column): self
                {
                    $this->asked[] = [$column, null];

                    return $this;
                }

                public function count(): int
                {
                    if (['oauth_clients', [['grant_types', '["personal_access"]'], ['owner_id', null]]] !== [$this->name, $this->asked]) {
                        throw new \RuntimeException('no such question');
                    }

                    return State::read()['clients'];
                }
            };
        }
    }
}

namespace Laravel\Passport {
    use State;

    final class ClientRepository
    {
        public function createPersonalAccessGrantClient(string $name, ?string $provider = null): void
        {
            State::change(static fn (array $state): array => ['clients' => $state['clients'] + 1] + $state);
        }
    }
}
