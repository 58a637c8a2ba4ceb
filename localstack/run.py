# Runs LocalStack in this process, listening on 127.0.0.1 alone.
#
# LocalStack 4.14.0 keeps only the port of GATEWAY_LISTEN for IPv4 and listens on
# every address of the machine, so the endpoint's default address is set here,
# before LocalStack makes one. It also runs without its supervisor, which would
# be a second process to look after and whose only service is a restart.
import functools

from twisted.internet import endpoints

endpoints.TCP4ServerEndpoint = functools.partial(
    endpoints.TCP4ServerEndpoint, interface="127.0.0.1"
)

from localstack.runtime.main import main  # noqa: E402 (after the change above)

main()
