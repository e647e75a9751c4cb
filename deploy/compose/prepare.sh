#!/bin/sh
# Makes secrets/ and .env for docker-compose.yml: what is there already stays. ./prepare.sh [HOST [PORT]]
set -eu
cd "$(dirname "$0")"
host=${1:-localhost}
port=${2:-8443}

# Nobody else on this machine gets into the folder. The files themselves can be read by the users of the
# containers, who see only the files that are mounted for them.
mkdir -p secrets
chmod 700 secrets
umask 022

random() { [ -s "secrets/$1" ] || openssl rand -hex 32 > "secrets/$1"; }
random card-secret
random admin-token
random postgres-password
random redis-password

if [ ! -s secrets/certificate-and-key.pem ]; then
    # Signed by itself: put your own certificate, chain and key in its place.
    case $host in *[!0-9.]*) name="DNS:$host" ;; *) name="IP:$host" ;; esac
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$host" \
        -addext "subjectAltName=$name,DNS:localhost,IP:127.0.0.1" \
        -keyout secrets/key.pem -out secrets/certificate.pem 2>/dev/null
    cat secrets/certificate.pem secrets/key.pem > secrets/certificate-and-key.pem
    rm secrets/key.pem
    chmod 644 secrets/certificate-and-key.pem
fi

[ -s secrets/stores.env ] || cat > secrets/stores.env <<STORES
FEEDBACK_DB=postgresql://cds:$(cat secrets/postgres-password)@postgres:5432/cds
JTI_STORE=redis://:$(cat secrets/redis-password)@redis:6379/0
STORES

# Nobody may call until somebody is named here: see docs/authentication.md.
[ -s secrets/caller.jwks.json ] || echo '{"keys": []}' > secrets/caller.jwks.json
[ -s secrets/issuers.json ] || echo '{"https://ehr.example.org": {"jwks": "caller.jwks.json"}}' > secrets/issuers.json

[ -s .env ] || printf 'PUBLIC_BASE_URL=https://%s:%s\nLISTEN=127.0.0.1:%s\n' "$host" "$port" "$port" > .env
echo "Ready: write your callers into secrets/issuers.json and secrets/caller.jwks.json, then docker compose up --build --wait"
