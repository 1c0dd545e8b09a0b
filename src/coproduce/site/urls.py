"""Every address. Each room has its own."""

from django.urls import include, path

urlpatterns = [
    path("account/", include("allauth.account.urls")),
    path("", include("coproduce.hearback.urls")),
]
